// Package verifier is the page on which anybody's browser checks a published
// site of statements. It stands in the site's own folder, asks no server, and
// runs the same code as causeway statement verify, compiled to WebAssembly.
//
// The program is bundled by .ci/assets and embedded here. A causeway built
// without it publishes a page that says so and how to check by hand.
package verifier

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
	"sync"

	"causeway/internal/statement"
)

//go:embed all:dist
var dist embed.FS

//go:embed texts/en.json texts/ja.json
var texts embed.FS

//go:embed page.html
var page string

//go:embed verify.css
var style []byte

// Languages of the page; the first is index.html.
var Languages = []string{"en", "ja"}

// programs are the files that .ci/assets makes.
var programs = []string{"program.js", "verify.js"}

// Built reports whether the checking program is in this causeway.
func Built() bool { return len(built()) == len(programs) }

func built() map[string][]byte {
	out := map[string][]byte{}
	for _, name := range programs {
		if b, err := fs.ReadFile(dist, "dist/"+name); err == nil {
			out[name] = b
		}
	}
	return out
}

// Files are the page's files by their path in a site.
var Files = sync.OnceValues(func() (map[string][]byte, error) { return files(built()) })

func files(program map[string][]byte) (map[string][]byte, error) {
	if len(program) != len(programs) {
		program = nil
	}
	out := map[string][]byte{statement.VerifierPath + "verify.css": style}
	for name, b := range program {
		out[statement.VerifierPath+name] = b
	}
	for _, lang := range Languages {
		b, err := render(lang, program != nil)
		if err != nil {
			return nil, fmt.Errorf("make the page that checks a site: %w", err)
		}
		out[statement.VerifierPath+fileOf(lang)] = b
	}
	return out, nil
}

func fileOf(lang string) string {
	if lang == Languages[0] {
		return "index.html"
	}
	return lang + ".html"
}

func textsOf(lang string) (out map[string]string, err error) {
	b, err := fs.ReadFile(texts, "texts/"+lang+".json")
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(b, &out)
}

type tongue struct{ Code, Name, File string }

func render(lang string, program bool) ([]byte, error) {
	say, err := textsOf(lang)
	if err != nil {
		return nil, err
	}
	script := map[string]string{} // what the program says; the rest is in the page
	for k, v := range say {
		if group, _, _ := strings.Cut(k, "."); group != "page" && group != "code" && group != "hand" {
			script[k] = v
		}
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"t": func(key string) (string, error) {
			if text, ok := say[key]; ok {
				return text, nil
			}
			return "", fmt.Errorf("the catalogue of %s has no %q", lang, key)
		},
	}).Parse(page)
	if err != nil {
		return nil, err
	}
	data := struct {
		Lang    string
		Built   bool
		Codes   []string
		Asks    map[string]string
		Script  map[string]string
		Tongues []tongue
	}{lang, program, statement.Codes(), statement.CodeAsks, script, nil}
	for _, l := range Languages {
		if l != lang {
			other, err := textsOf(l)
			if err != nil {
				return nil, err
			}
			data.Tongues = append(data.Tongues, tongue{l, other["page.tongue"], fileOf(l)})
		}
	}
	var b bytes.Buffer
	err = t.Execute(&b, data)
	return b.Bytes(), err
}
