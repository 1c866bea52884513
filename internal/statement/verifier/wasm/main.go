//go:build js

// The program of the page that checks a published site in a browser: the same
// statement.Verify as the command line, compiled to WebAssembly. It has one
// function, causewayVerify(source, options), which gives a promise of the
// report as JSON.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"syscall/js"
	"time"

	"causeway/internal/statement"
)

// options is what the page brings along; see statement.VerifyOptions.
type options struct {
	Now    time.Time `json:"now"`
	Policy string    `json:"policy"` // provider-metadata.json held from elsewhere, "" if none
	Since  string    `json:"since"`  // an older checkpoint, "" if none
	Words  string    `json:"words"`  // a text or a record to look up
}

// answer is the report with what was found of the words.
type answer struct {
	*statement.Report
	Found []statement.Found `json:"found,omitempty"`
}

func main() {
	js.Global().Set("causewayVerify", js.FuncOf(func(_ js.Value, args []js.Value) any {
		source, text := args[0], args[1].String()
		return js.Global().Get("Promise").New(js.FuncOf(func(_ js.Value, settle []js.Value) any {
			go func() { // a source answers by promises: wait for them off the browser's thread
				out, err := check(source, text)
				if err != nil {
					settle[1].Invoke(js.Global().Get("Error").New(err.Error()))
					return
				}
				settle[0].Invoke(out)
			}()
			return nil
		}))
	}))
	select {}
}

func check(source js.Value, text string) (string, error) {
	var o options
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return "", fmt.Errorf("read the options: %w", err)
	}
	opt := statement.VerifyOptions{Now: o.Now}
	if o.Policy != "" {
		opt.Policy = &statement.Metadata{}
		if err := json.Unmarshal([]byte(o.Policy), opt.Policy); err != nil {
			return "", fmt.Errorf("the keys you hold are no provider-metadata file: %w", err)
		}
	}
	if o.Since != "" {
		opt.Since = []byte(o.Since)
	}
	var src statement.Source = site{source}
	if source.Get("list").Type() == js.TypeFunction {
		src = folder{site{source}}
	}
	a := answer{Report: statement.Verify(src, opt)}
	if o.Words != "" {
		a.Found = a.Report.Find(o.Words)
	}
	b, err := json.Marshal(a)
	return string(b), err
}

// site is a statement.Source whose files the page reads: read(name) gives a
// promise of bytes, or of null for a file that is not there.
type site struct{ page js.Value }

// Read implements statement.Source.
func (s site) Read(name string) ([]byte, error) {
	v, err := await(s.page.Call("read", name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if v.IsNull() || v.IsUndefined() {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	b := make([]byte, v.Get("length").Int())
	js.CopyBytesToGo(b, v)
	return b, nil
}

// folder can list its files besides.
type folder struct{ site }

// List implements statement.Lister.
func (f folder) List() ([]string, error) {
	v := f.page.Call("list")
	out := make([]string, v.Length())
	for i := range out {
		out[i] = v.Index(i).String()
	}
	return out, nil
}

// await waits for a promise.
func await(p js.Value) (js.Value, error) {
	type settled struct {
		v   js.Value
		err error
	}
	done := make(chan settled, 1)
	ok := js.FuncOf(func(_ js.Value, args []js.Value) any { done <- settled{v: args[0]}; return nil })
	no := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- settled{err: errors.New(args[0].Get("message").String())}
		return nil
	})
	defer ok.Release()
	defer no.Release()
	p.Call("then", ok, no)
	s := <-done
	return s.v, s.err
}
