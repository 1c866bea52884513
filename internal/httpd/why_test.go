package httpd_test

import (
	"net/http"
	"strings"
	"testing"

	"causeway/internal/httpd"
)

// TestWhyAsksNobody: the page that says who reads an object names every
// partner, held or not, and leaves nothing in the log in a partner's name.
func TestWhyAsksNobody(t *testing.T) {
	w := worlds(t)[0]
	w.token = w.cleared
	before, err := w.node.Vault.LogSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := w.ask(httpd.Route{Method: http.MethodGet}, "/object/"+w.visible[0]+"/why")
	if a.Status != http.StatusOK {
		t.Fatalf("status %d", a.Status)
	}
	for _, name := range []string{"Brussels", "Canberra"} {
		if !strings.Contains(a.Body, name) {
			t.Errorf("%s is not named", name)
		}
	}
	if after, err := w.node.Vault.LogSize(t.Context()); err != nil || after != before {
		t.Errorf("%d entries, %v, before the page %d", after, err, before)
	}
}
