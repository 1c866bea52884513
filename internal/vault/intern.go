package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
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
	atoms     map[string]struct{}        // every atom that a rule names
	readers   map[string]*label.Holdings // what each reader held when it was last seen
	decided   map[string]*decisions      // by key of the holdings
	audiences map[string]*audience       // by key of the audience
}

type storedLabel struct {
	rule      int64
	effective label.Effective
	body      []byte
	words     string // what LabelContains looks in, lower case
}

// decisions are those for one reader's holdings, made once: allowed[rule] is
// 1 or 0. key names the reader's audience while so many atoms are known.
type decisions struct {
	held    *label.Holdings
	allowed []byte
	known   int
	key     string
}

// audience is all who hold the same of what rules name. That persons differ
// in what no rule names, such as their own names, does not part them.
type audience struct {
	atoms   map[string]struct{}
	allowed []byte
}

func (in *interned) init() {
	in.rules, in.labels, in.kinds = make([]label.Rule, 1), make([]storedLabel, 1), make([]string, 1)
	in.ruleN, in.labelN, in.kindN = map[string]int64{}, map[string]int64{}, map[string]int64{}
	in.atoms, in.readers = map[string]struct{}{}, map[string]*label.Holdings{}
	in.decided, in.audiences = map[string]*decisions{}, map[string]*audience{}
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
			for _, clause := range parsed.Clauses() {
				for _, a := range clause {
					in.atoms[a] = struct{}{}
				}
			}
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
	d, n := in.decided[key], len(in.rules)
	if d != nil && len(d.allowed) == n {
		in.mu.RUnlock()
		return d.allowed
	}
	in.mu.RUnlock()
	in.mu.Lock()
	defer in.mu.Unlock()
	d = in.decide(held)
	// A new slice: the old one may be in use by a question.
	grown := make([]byte, len(in.rules))
	for i := copy(grown, d.allowed); i < len(grown); i++ {
		if label.Allows(in.rules[i], held) {
			grown[i] = 1
		}
	}
	d.allowed = grown
	return grown
}

// decide gives the entry of some holdings. in.mu is held for writing.
func (in *interned) decide(held *label.Holdings) *decisions {
	key := held.Key()
	d := in.decided[key]
	if d == nil {
		d = &decisions{held: held, known: -1}
		in.decided[key] = d
	}
	return d
}

// audience gives the key of the audience that a reader belongs to: the digest
// of the atoms that are held and that some rule names, more included.
func (in *interned) audience(held *label.Holdings, more map[string]struct{}) string {
	full := held.Key()
	in.mu.RLock()
	if d := in.decided[full]; d != nil && d.known == len(in.atoms) && len(more) == 0 {
		in.mu.RUnlock()
		return d.key
	}
	in.mu.RUnlock()
	in.mu.Lock()
	defer in.mu.Unlock()
	h := sha256.New()
	atoms := map[string]struct{}{}
	for _, a := range held.Atoms() { // in order, each without a line break
		_, known := in.atoms[a]
		_, soon := more[a]
		if known || soon {
			atoms[a] = struct{}{}
			io.WriteString(h, a+"\n")
		}
	}
	key := hex.EncodeToString(h.Sum(nil))
	if in.audiences[key] == nil {
		in.audiences[key] = &audience{atoms: atoms}
	}
	if d := in.decide(held); len(more) == 0 {
		d.known, d.key = len(in.atoms), key
	}
	return key
}

// known gives what the audience of a key holds, and its decisions, if a
// reader of this process belongs to it.
func (in *interned) known(key string) (*audience, bool) {
	in.mu.RLock()
	a, n := in.audiences[key], len(in.rules)
	if a == nil || len(a.allowed) == n {
		in.mu.RUnlock()
		return a, a != nil
	}
	in.mu.RUnlock()
	in.mu.Lock()
	defer in.mu.Unlock()
	grown := &audience{atoms: a.atoms, allowed: make([]byte, len(in.rules))}
	for i := copy(grown.allowed, a.allowed); i < len(grown.allowed); i++ {
		if grown.allows(in.rules[i]) {
			grown.allowed[i] = 1
		}
	}
	in.audiences[key] = grown
	return grown, true
}

// allows decides as [label.Allows] does: every clause names something held.
// It places versions in feeds; what a reader is given is decided again with
// what that reader holds.
func (a *audience) allows(r label.Rule) bool {
	clauses := r.Clauses()
	for _, c := range clauses {
		if !slices.ContainsFunc(c, func(atom string) bool { _, ok := a.atoms[atom]; return ok }) {
			return false
		}
	}
	return len(clauses) > 0
}

// saw remembers what a reader holds.
func (in *interned) saw(r Reader) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.readers[r.ID] = r.Holdings
}

func (in *interned) holdingsOf(reader string) (*label.Holdings, bool) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	h, ok := in.readers[reader]
	return h, ok
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
