// Command pages walks every page of the demo that three readers reach by
// links, one at each node, and prints for each kind of page the time the
// server takes and the bytes it sends: the page as it travels, and with it the
// styles and scripts that it names, before pictures. A page over the limits of
// the design (100 ms, 150 kB) is named; one that is too large makes the exit
// code 1, and so does a link that leads nowhere.
package main

import (
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"causeway/internal/demo"
	"causeway/internal/httpd"
	"causeway/internal/node"
)

var (
	most  = flag.Int("n", 400, "pages walked for each reader, at most")
	times = flag.Int("times", 3, "requests of a page, of which the median counts")
	top   = flag.Int("top", 10, "kinds of page printed for each reader, the slowest first; those over a limit always")
)

const (
	slow  = 100 * time.Millisecond
	large = 150_000
)

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "causeway-pages")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	nodes, err := demo.Open(ctx, demo.Options{Dir: filepath.Join(dir, "demo"), Addr: "127.0.0.1:20743", Nodes: 3, Out: io.Discard})
	if err != nil {
		return err
	}
	tooLarge := 0
	for i, who := range []string{"aiko", "jan", "zoe"} { // an analyst, a release officer, a security officer
		n := nodes[i]
		defer n.Close()
		found, err := walk(ctx, n, who)
		if err != nil {
			return fmt.Errorf("walk %s as %s: %w", demo.Places()[i].Name, who, err)
		}
		fmt.Printf("\n%s at %s: %d pages; the slowest of each kind\n", who, demo.Places()[i].Name, len(found))
		tooLarge += report(found)
	}
	if tooLarge > 0 {
		return fmt.Errorf("%d pages are over %d bytes", tooLarge, large)
	}
	return nil
}

// page is what one address cost.
type page struct {
	path  string
	took  time.Duration // median
	cpu   time.Duration // mean, of the whole process: on a busy machine it says more
	worst time.Duration
	sent  int // bytes of the page
	all   int // with styles and scripts
}

type walker struct {
	handler http.Handler
	token   string
	assets  map[string]int // bytes by address
}

func walk(ctx context.Context, n *node.Node, who string) ([]page, error) {
	h, err := httpd.New(n)
	if err != nil {
		return nil, err
	}
	p, err := n.People.Get(ctx, who)
	if err != nil {
		return nil, err
	}
	token, err := n.People.APIToken(ctx, p, time.Hour)
	if err != nil {
		return nil, err
	}
	w := &walker{h, token, map[string]int{}}
	var out []page
	from := map[string]string{"/": ""} // the page whose link led there
	for queue := []string{"/"}; len(queue) > 0 && len(out) < *most; queue = queue[1:] {
		p, links, err := w.visit(ctx, queue[0])
		if err != nil {
			return nil, fmt.Errorf("%w (from %s)", err, from[queue[0]])
		}
		if p != nil {
			out = append(out, *p)
		}
		for _, l := range links {
			if _, seen := from[l]; !seen {
				from[l] = queue[0]
				queue = append(queue, l)
			}
		}
	}
	if len(out) < 20 {
		return nil, fmt.Errorf("only %d pages are reached: the walk has lost the links", len(out))
	}
	return out, nil
}

func (w *walker) get(ctx context.Context, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.AddCookie(&http.Cookie{Name: "causeway", Value: w.token})
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("Accept", "text/html")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

var (
	link  = regexp.MustCompile(`<a [^>]*href="([^"#]+)`)
	asset = regexp.MustCompile(`<(?:link [^>]*href|script [^>]*src)="([^"]+\.(?:css|js))"`)
)

// visit reads one address. It gives no page for what is no page: files,
// streams and redirections.
func (w *walker) visit(ctx context.Context, path string) (*page, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	first := w.get(ctx, path)
	if to := first.Header().Get("Location"); first.Code >= 300 && first.Code < 400 && to != "" {
		return nil, local(path, []string{to}), nil
	}
	if !strings.HasPrefix(first.Header().Get("Content-Type"), "text/html") {
		return nil, nil, nil
	}
	switch first.Code {
	case http.StatusOK:
	case http.StatusForbidden: // it says which role may
		return nil, nil, nil
	default:
		return nil, nil, fmt.Errorf("a link leads to %s, which answers %d", path, first.Code)
	}
	text, err := plain(first)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	var took []time.Duration
	spent := cpu()
	for range *times {
		began := time.Now()
		w.get(ctx, path)
		took = append(took, time.Since(began))
	}
	spent = (cpu() - spent) / time.Duration(*times)
	slices.Sort(took)
	p := &page{path: path, cpu: spent, took: took[len(took)/2], worst: took[len(took)-1], sent: first.Body.Len()}
	p.all = p.sent
	for _, m := range asset.FindAllStringSubmatch(text, -1) {
		p.all += w.size(ctx, m[1])
	}
	var links []string
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		links = append(links, strings.ReplaceAll(m[1], "&amp;", "&"))
	}
	return p, local(path, links), nil
}

// plain gives the text of a page, decompressed.
func plain(r *httptest.ResponseRecorder) (string, error) {
	var body io.Reader = strings.NewReader(r.Body.String())
	if r.Header().Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			return "", err
		}
		body = z
	}
	b, err := io.ReadAll(body)
	return string(b), err
}

func (w *walker) size(ctx context.Context, path string) int {
	if n, ok := w.assets[path]; ok {
		return n
	}
	w.assets[path] = w.get(ctx, path).Body.Len()
	return w.assets[path]
}

// local gives the addresses that links lead to on this node, without those
// that end the session.
func local(from string, links []string) (out []string) {
	base, err := url.Parse(from)
	if err != nil {
		return nil
	}
	for _, l := range links {
		u, err := base.Parse(l)
		if err != nil || u.Host != "" || u.Scheme != "" || strings.Contains(u.Path, "sign-out") {
			continue
		}
		u.Fragment = ""
		out = append(out, u.String())
	}
	return out
}

var id = regexp.MustCompile(`[a-z0-9-]+--[0-9a-f-]{36}|[0-9a-f]{16,}|[a-z]{3}-[a-z2-7]{16}|[0-9]+$`)

// kind is a page's address without what tells it from others of its kind.
func kind(path string) string {
	path, query, asked := strings.Cut(path, "?")
	path = id.ReplaceAllString(path, "…")
	if asked {
		var names []string
		for _, part := range strings.Split(query, "&") {
			name, _, _ := strings.Cut(part, "=")
			names = append(names, name)
		}
		slices.Sort(names)
		path += "?" + strings.Join(slices.Compact(names), "&")
	}
	return path
}

// report prints the slowest and the largest of each kind, and says how many
// pages are too large.
func report(found []page) (tooLarge int) {
	type sum struct {
		n           int
		slow, large page
	}
	kinds := map[string]*sum{}
	var order []string
	for _, p := range found {
		k := kind(p.path)
		s := kinds[k]
		if s == nil {
			s = &sum{slow: p, large: p}
			kinds[k], order = s, append(order, k)
		}
		s.n++
		if p.took > s.slow.took {
			s.slow = p
		}
		if p.all > s.large.all {
			s.large = p
		}
		if p.all > large {
			tooLarge++
		}
	}
	slices.SortFunc(order, func(a, b string) int { return int(kinds[b].slow.took - kinds[a].slow.took) })
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "ms, median of the slowest\tworst\tprocessor\tkB sent\twith styles and scripts\tpages\t  page")
	for i, k := range order {
		s := kinds[k]
		if i >= *top && s.slow.took <= slow && s.large.all <= large {
			continue
		}
		mark := ""
		if s.slow.took > slow {
			mark += "  SLOW: " + s.slow.path
		}
		if s.large.all > large {
			mark += "  LARGE: " + s.large.path
		}
		fmt.Fprintf(t, "%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t  %s%s\n", ms(s.slow.took), ms(s.slow.worst), ms(s.slow.cpu), float64(s.large.sent)/1000, float64(s.large.all)/1000, s.n, k, mark)
	}
	t.Flush()
	return tooLarge
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
