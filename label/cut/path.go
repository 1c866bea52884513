package cut

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// step is a property name or, when index is not negative, a place in a list.
type step struct {
	name  string
	index int
}

// steps splits "external_references[0].url".
func steps(path string) []step {
	var out []step
	for part := range strings.SplitSeq(path, ".") {
		name, rest, indexed := strings.Cut(part, "[")
		if name != "" {
			out = append(out, step{name, -1})
		}
		for indexed {
			var number string
			number, rest, _ = strings.Cut(rest, "]")
			i, err := strconv.Atoi(number)
			if err != nil || i < 0 {
				return nil
			}
			out = append(out, step{"", i})
			rest, indexed = strings.CutPrefix(rest, "[")
		}
	}
	return out
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// comparePaths orders paths step by step, indexes as numbers.
func comparePaths(a, b string) int {
	return slices.CompareFunc(steps(a), steps(b), func(x, y step) int {
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.index, y.index))
	})
}

// child follows one step.
func child(v any, s step) (any, bool) {
	if s.index < 0 {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		c, ok := m[s.name]
		return c, ok
	}
	l, ok := v.([]any)
	if !ok || s.index >= len(l) {
		return nil, false
	}
	return l[s.index], true
}

func lookup(body map[string]any, path string) (any, bool) {
	var v any = body
	st := steps(path)
	for _, s := range st {
		var ok bool
		if v, ok = child(v, s); !ok {
			return nil, false
		}
	}
	return v, len(st) > 0
}

// set replaces the value at a path that exists.
func set(body map[string]any, path string, value any) bool {
	if _, ok := lookup(body, path); !ok {
		return false
	}
	st := steps(path)
	parent := any(body)
	for _, s := range st[:len(st)-1] {
		parent, _ = child(parent, s)
	}
	last := st[len(st)-1]
	switch p := parent.(type) {
	case map[string]any:
		p[last.name] = value
	case []any:
		p[last.index] = value
	}
	return true
}

// remove takes the value at a path out and gives it. A list or map that is
// left empty goes too, since STIX has neither.
func remove(body map[string]any, path string) (any, bool) {
	st := steps(path)
	old, ok := lookup(body, path)
	if !ok {
		return nil, false
	}
	removeStep(body, st)
	return old, true
}

// removeStep gives what is left of v: nil when nothing is.
func removeStep(v any, st []step) any {
	s := st[0]
	switch v := v.(type) {
	case map[string]any:
		var left any
		if len(st) > 1 {
			left = removeStep(v[s.name], st[1:])
		}
		if left == nil {
			delete(v, s.name)
		} else {
			v[s.name] = left
		}
		if len(v) == 0 {
			return nil
		}
		return v
	case []any:
		var left any
		if len(st) > 1 {
			left = removeStep(v[s.index], st[1:])
		}
		if left == nil {
			v = slices.Delete(v, s.index, s.index+1)
		} else {
			v[s.index] = left
		}
		if len(v) == 0 {
			return nil
		}
		return v
	}
	return nil
}

// kind names the JSON kind of a value.
func kind(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case bool:
		return "bool"
	case json.Number, int, int64, float64:
		return "number"
	case []any, []string:
		return "list"
	case map[string]any:
		return "map"
	}
	return ""
}
