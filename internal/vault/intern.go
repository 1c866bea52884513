package vault

import (
	"strings"
	"sync"

	"causeway/internal/vault/internal/engine"
	"causeway/label"
)

// interned holds what the numbers in the rows mean, and which rules each
// audience may see. Numbers are never reused and rows of these tables never
// change, so what was read once stays true.
type interned struct {
	mu        sync.RWMutex
	rules     []label.Rule // by number; [0] is the zero rule, which admits nobody
	ruleN     map[string]int64
	labels    []storedLabel // by number
	labelN    map[string]int64
	kinds     []string // by number
	kindN     map[string]int64
	audiences map[string]*audience // by key of the holdings
}

type storedLabel struct {
	rule      int64
	effective label.Effective
	body      []byte
	words     string // what LabelContains looks in, lower case
}

// audience is the decision for every rule, made once: allowed[rule] is 1 or 0.
type audience struct {
	held    *label.Holdings
	allowed []byte
}

func (in *interned) init() {
	in.rules, in.labels, in.kinds = make([]label.Rule, 1), make([]storedLabel, 1), make([]string, 1)
	in.ruleN, in.labelN, in.kindN = map[string]int64{}, map[string]int64{}, map[string]int64{}
	in.audiences = map[string]*audience{}
}

// learn reads what was interned since. A rule or label that cannot be read
// keeps its number and admits nobody.
func (in *interned) learn(r engine.Read) error {
	in.mu.RLock()
	rules, labels, kinds := len(in.rules), len(in.labels), len(in.kinds)
	in.mu.RUnlock()
	newRules, err := r.Rules(int64(rules - 1))
	if err != nil {
		return err
	}
	newLabels, err := r.Labels(int64(labels - 1))
	if err != nil {
		return err
	}
	newKinds, err := r.Kinds(int64(kinds - 1))
	if err != nil || len(newRules)+len(newLabels)+len(newKinds) == 0 {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, x := range newRules {
		if x.N == int64(len(in.rules)) {
			parsed, err := label.ParseRule(x.Key)
			if err != nil {
				parsed = label.Rule{}
			}
			in.rules, in.ruleN[x.Key] = append(in.rules, parsed), x.N
		}
	}
	for _, x := range newLabels {
		if x.N == int64(len(in.labels)) {
			in.labels, in.labelN[string(x.Body)] = append(in.labels, stored(x)), x.N
		}
	}
	for _, x := range newKinds {
		if x.N == int64(len(in.kinds)) {
			in.kinds, in.kindN[x.Name] = append(in.kinds, x.Name), x.N
		}
	}
	return nil
}

func stored(x engine.Label) storedLabel {
	e, err := label.DecodeEffective(x.Body)
	if err != nil {
		e = label.Effective{}
	}
	words := []string{e.TLP}
	for _, l := range e.Labels {
		words = append(words, string(l))
	}
	return storedLabel{x.Rule, e, x.Body, strings.ToLower(strings.Join(words, "\n"))}
}

// allowed gives the decisions for what is held, for every rule known.
func (in *interned) allowed(held *label.Holdings) []byte {
	key := held.Key()
	in.mu.RLock()
	a, n := in.audiences[key], len(in.rules)
	if a != nil && len(a.allowed) == n {
		in.mu.RUnlock()
		return a.allowed
	}
	in.mu.RUnlock()
	in.mu.Lock()
	defer in.mu.Unlock()
	if a = in.audiences[key]; a == nil {
		a = &audience{held: held}
		in.audiences[key] = a
	}
	// A new slice: the old one may be in use by a question.
	grown := make([]byte, len(in.rules))
	for i := copy(grown, a.allowed); i < len(grown); i++ {
		if label.Allows(in.rules[i], held) {
			grown[i] = 1
		}
	}
	a.allowed = grown
	return grown
}

// known gives the holdings of a key, if a reader of this process has them.
func (in *interned) known(key string) (*label.Holdings, bool) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	a, ok := in.audiences[key]
	if !ok {
		return nil, false
	}
	return a.held, true
}

func (in *interned) label(n int64) storedLabel {
	in.mu.RLock()
	defer in.mu.RUnlock()
	if n < 1 || n >= int64(len(in.labels)) {
		return storedLabel{}
	}
	return in.labels[n]
}

func (in *interned) kind(n int64) string {
	in.mu.RLock()
	defer in.mu.RUnlock()
	if n < 1 || n >= int64(len(in.kinds)) {
		return ""
	}
	return in.kinds[n]
}

// kindsOf gives the numbers of types that exist; none when none does.
func (in *interned) kindsOf(types []string) []int64 {
	in.mu.RLock()
	defer in.mu.RUnlock()
	out := []int64{}
	for _, t := range types {
		if n, ok := in.kindN[t]; ok {
			out = append(out, n)
		}
	}
	return out
}

// labelsWith gives the numbers of labels whose words hold the text.
func (in *interned) labelsWith(text string) []int64 {
	text = strings.ToLower(text)
	in.mu.RLock()
	defer in.mu.RUnlock()
	out := []int64{}
	for n, l := range in.labels {
		if n > 0 && strings.Contains(l.words, text) {
			out = append(out, int64(n))
		}
	}
	return out
}
