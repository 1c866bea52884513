package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"causeway/coord"
	"causeway/coord/picture"
	"causeway/coord/read"
	"causeway/coord/text"
)

type detectCmd struct {
	Posts            []string      `arg:"" placeholder:"POSTS" help:"Files of posts: CSV or JSON Lines, plain, gzip or Zstandard."`
	Window           time.Duration `default:"60s" help:"Longest time between two posts that count as in sync."`
	MinParticipation int           `default:"2" help:"Least number of posts of an account."`
	Semantics        string        `default:"corrected" help:"Definition of an edge: corrected, coortweet or cnt."`
	MinWeight        int           `placeholder:"N" help:"Least weight of an edge (corrected: distinct objects, default 2)."`
	FDR              float64       `name:"fdr" default:"0.05" help:"False discovery rate at which edges are reported."`
	Engine           string        `default:"local" enum:"local,spark" help:"Where the kernel runs: local or spark."`
	Parts            int           `placeholder:"N" help:"Parts of the posts on the spark engine; default twice its cores."`
	Memory           string        `default:"4GiB" help:"Budget for posts and pairs; what exceeds it goes to disk."`
	Out              string        `placeholder:"DIR" help:"Folder for the results; default POSTS-network beside the posts."`
	EdgeWeight       float64       `default:"0.5" help:"Quantile of coortweet's weight threshold."`
	Seed             uint64        `default:"1" help:"Seed of communities, layout and null replicate."`
	Mapping          string        `placeholder:"NAME|FILE" help:"Where the posts keep what: coortweet, cnt, twarc, twarc1, io-archive, telegram, bluesky, tiktok, youtube, crowdtangle, facebook, or a mapping file; recognised when left out."`
	Kinds            []string      `placeholder:"KIND" help:"Traces to use: object, repost, url, page, site, hashtag, reply, mention, text, image, video. Default: all that the mapping knows."`
	ExcludeTexts     string        `placeholder:"FILE" type:"existingfile" help:"Texts, one a line, whose copies are no trace: own statements, known fact-checks."`
	Images           string        `placeholder:"DIR" type:"existingdir" help:"Folder of the image files that the column image names: near-duplicates are a trace. Perceptual hashes in a column image_hash need no folder."`
	Declared         string        `placeholder:"FILE" type:"existingfile" help:"CSV account,owner: accounts of one owner or feed; their edges are marked and not counted as findings. Or a CSV with account_id and columns owner, analytics_id, registrant or feed: what two accounts have in common sets their edges apart. Such columns in the posts themselves are used without it."`
	Pseudonyms       string        `placeholder:"KEYFILE" type:"existingfile" help:"Replace account and content ids by keyed pseudonyms; the file holds the key, 32 bytes or more."`
	SkipBadRows      bool          `help:"Drop bad rows, counted in the summary, instead of refusing the file."`
	Follow           bool          `help:"Keep reading: POSTS are folders or files that grow; the results are replaced when posts arrive."`
	Every            time.Duration `default:"30s" help:"How often --follow looks."`
	Horizon          time.Duration `help:"With --follow, leave out posts older than this before the newest, late ones included; default keeps all."`
	Polls            int           `hidden:"" help:"Stop following after so many looks."`
	Open             bool          `help:"Open the report in a browser at the end."`
	JSON             bool          `help:"Print the summary as JSON."`

	pictures *picture.Source
}

func (c *detectCmd) Run(p *process) error {
	opt, err := c.options()
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = networkDir(c.Posts[0])
	}
	defer debug.SetGCPercent(debug.SetGCPercent(c.collect()))
	if c.Follow {
		return c.follow(p, opt, out)
	}
	bar := newProgress(p)
	defer bar.clear()
	opt.Progress, opt.Advise = bar.show, hugePages
	scratch := &scratchDir{parent: out}
	defer scratch.remove()
	opt.Scratch = scratch
	var files []coord.File
	in, err := c.source(p.ctx, opt.Semantics, &files)
	if err != nil {
		return err
	}
	defer in.Close()
	src, err := c.wrapped(in, &opt)
	if err != nil {
		return err
	}
	start := time.Now()
	var r *coord.Result
	if c.Engine == "spark" {
		r, err = c.detectOnSpark(p.ctx, p, opt, out)
	} else {
		r, err = coord.Detect(p.ctx, src, opt)
	}
	if err != nil {
		return refused(err)
	}
	defer r.Close()
	r.Summary.Input.Files = files
	if note := c.imagesNote(); note != "" {
		r.Summary.Notes = append(r.Summary.Notes, note)
	}
	if err := writeNetwork(out, r, bar); err != nil {
		return err
	}
	bar.clear()
	if err := c.report(p, r, in.Skipped(), out, time.Since(start)); err != nil || !c.Open {
		return err
	}
	page, err := filepath.Abs(filepath.Join(out, "report.html")) // an opener may have another working folder
	if err != nil {
		return err
	}
	if err := openPage(p.ctx, page); err != nil {
		fmt.Fprintf(p.stderr, "causeway: %v; open %s yourself\n", err, page)
	}
	return nil
}

// collect is how much garbage may pile up, in percent of what is in use. Nearly
// all memory of a run is large arrays without pointers, so collecting often
// costs little where it matters: in a large run, whose peak it holds down.
func (c *detectCmd) collect() int {
	if c.size() < 1<<30 {
		return 100
	}
	return 20
}

// size is the bytes of all files, as they lie.
func (c *detectCmd) size() (total int64) {
	for _, f := range c.Posts {
		if st, err := os.Stat(f); err == nil {
			total += st.Size()
		}
	}
	return total
}

func (c *detectCmd) options() (coord.Options, error) {
	sem, err := coord.ParseSemantics(c.Semantics)
	if err != nil {
		return coord.Options{}, usagef("--semantics: %v", err)
	}
	memory, err := parseBytes(c.Memory)
	if err != nil {
		return coord.Options{}, usagef("--memory: %v", err)
	}
	if memory < coord.MinMemory {
		return coord.Options{}, usagef("--memory %s: want at least %d MiB", c.Memory, coord.MinMemory>>20)
	}
	if c.Window <= 0 || c.Window > coord.MaxWindow {
		return coord.Options{}, usagef("--window %v: want more than 0 and at most %v", c.Window, coord.MaxWindow)
	}
	if c.MinParticipation < 1 {
		return coord.Options{}, usagef("--min-participation %d: want at least 1", c.MinParticipation)
	}
	if c.MinWeight < 0 {
		return coord.Options{}, usagef("--min-weight %d: want at least 1", c.MinWeight)
	}
	if !(c.FDR > 0 && c.FDR < 1) {
		return coord.Options{}, usagef("--fdr %v: want more than 0 and less than 1", c.FDR)
	}
	if !(c.EdgeWeight > 0 && c.EdgeWeight <= 1) {
		return coord.Options{}, usagef("--edge-weight %v: want more than 0 and at most 1", c.EdgeWeight)
	}
	return coord.Options{Semantics: sem, Window: c.Window, MinParticipation: c.MinParticipation, MinWeight: c.MinWeight, FDR: c.FDR,
		Memory: memory, EdgeWeight: c.EdgeWeight, Seed: c.Seed}, nil
}

// source reads the files one after the other and digests what it read; "-" is
// the standard input.
func (c *detectCmd) source(ctx context.Context, sem coord.Semantics, files *[]coord.File) (read.Source, error) {
	opt, err := c.reading(sem)
	if err != nil {
		return nil, err
	}
	total := c.size()
	var done atomic.Int64
	opt.Consumed = func() (int64, int64) { return done.Load(), total }
	var open []func() (read.Source, error)
	for _, name := range c.Posts {
		open = append(open, func() (read.Source, error) {
			f := os.Stdin
			if name != "-" {
				file, err := os.Open(name)
				if err != nil {
					return nil, err
				}
				f = file
			}
			opt := opt
			opt.File = name
			in := &digestReader{r: f, sum: sha256.New(), done: &done}
			src, err := openPosts(ctx, f, in, opt)
			if err != nil {
				return nil, errors.Join(err, f.Close())
			}
			return &openFile{src, name, f, in, files}, nil
		})
	}
	return read.Concat(open...), nil
}

// openPosts reads a Parquet file by place, everything else as a stream.
func openPosts(ctx context.Context, f *os.File, in io.Reader, opt read.Options) (read.Source, error) {
	var magic [4]byte
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
		if _, err := f.ReadAt(magic[:], 0); err == nil && string(magic[:]) == "PAR1" {
			return read.Parquet(ctx, f, st.Size(), opt)
		}
	}
	return read.Open(ctx, in, opt)
}

// reading turns the flags into what the readers want.
func (c *detectCmd) reading(sem coord.Semantics) (read.Options, error) {
	opt := read.Options{Skip: c.SkipBadRows, AllowEmptyObject: sem == coord.CooRTweet, Images: c.Images != "", First: sem != coord.Corrected}
	for _, s := range c.Kinds {
		k, err := coord.ParseKind(s)
		if err != nil {
			return opt, usagef("--kinds: %v", err)
		}
		opt.Kinds = append(opt.Kinds, k)
	}
	if c.Mapping == "" {
		return opt, nil
	}
	l, err := read.LayoutByName(c.Mapping)
	if err != nil {
		b, fileErr := os.ReadFile(c.Mapping)
		if fileErr != nil {
			return opt, usagef("--mapping: %v", err)
		}
		if l, err = read.ParseLayout(b); err != nil {
			return opt, fmt.Errorf("%s: %w", c.Mapping, err)
		}
	}
	opt.Layout = l
	return opt, nil
}

// wrapped puts the steps between reading and detection that were asked for.
func (c *detectCmd) wrapped(in coord.Source, opt *coord.Options) (coord.Source, error) {
	var exclude []string
	if c.ExcludeTexts != "" {
		b, err := os.ReadFile(c.ExcludeTexts)
		if err != nil {
			return nil, err
		}
		exclude = text.Lines(b)
	}
	var key []byte
	if c.Pseudonyms != "" {
		b, err := os.ReadFile(c.Pseudonyms)
		if err != nil {
			return nil, err
		}
		if key = bytes.TrimSpace(b); len(key) < 32 {
			return nil, usagef("--pseudonyms %s: the key has %d bytes; want 32 or more, or short pseudonyms could be guessed", c.Pseudonyms, len(key))
		}
	}
	if err := c.owners(opt); err != nil {
		return nil, err
	}
	if key != nil { // before the texts: a cluster is named after a content id
		in = read.Pseudonyms(in, key)
		opt.Declared, opt.Facts = read.PseudonymKeys(opt.Declared, key), read.PseudonymKeys(opt.Facts, key)
	}
	in = text.Source(in, exclude...)
	var open func(string) (io.ReadCloser, error)
	if c.Images != "" {
		dir, err := os.OpenRoot(c.Images) // names come from the posts: none may lead out of the folder
		if err != nil {
			return nil, err
		}
		open = func(name string) (io.ReadCloser, error) { return openImage(dir, name) }
	}
	c.pictures = picture.NewSource(in, open)
	return c.pictures, nil
}

// openImage opens a regular file, which a name in a post could also not be.
func openImage(dir *os.Root, name string) (io.ReadCloser, error) {
	st, err := dir.Stat(name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return dir.Open(name)
}

// imagesNote says which images could not be used, "" when all could.
func (c *detectCmd) imagesNote() string {
	if c.pictures == nil {
		return ""
	}
	n, first := c.pictures.Failed()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d image files could not be used and leave no trace; the first: %s", n, strings.Join(first, "; "))
}

// openFile closes its file when it has been read, and then knows its digest.
type openFile struct {
	read.Source
	name  string
	f     *os.File
	in    *digestReader
	files *[]coord.File
}

func (o *openFile) Next(b *coord.Batch) error {
	err := o.Source.Next(b)
	if errors.Is(err, io.EOF) {
		if _, err := io.Copy(io.Discard, o.in); err != nil { // what follows the end of a compressed stream
			return err
		}
		*o.files = append(*o.files, coord.File{Name: filepath.Base(o.name), Bytes: o.in.n, SHA256: hex.EncodeToString(o.in.sum.Sum(nil))})
	}
	return err
}

func (o *openFile) Close() {
	o.Source.Close()
	o.f.Close()
}

// digestReader counts and digests what passes.
type digestReader struct {
	r    io.Reader
	sum  hash.Hash
	n    int64
	done *atomic.Int64
}

func (d *digestReader) Read(b []byte) (int, error) {
	n, err := d.r.Read(b)
	d.sum.Write(b[:n])
	d.n += int64(n)
	d.done.Add(int64(n))
	return n, err
}

func (c *detectCmd) report(p *process, r *coord.Result, skipped read.Skipped, out string, took time.Duration) error {
	if c.JSON {
		e := json.NewEncoder(p.stdout)
		e.SetIndent("", "  ")
		return e.Encode(r.Summary)
	}
	s := r.Summary
	fmt.Fprintf(p.stdout, "%s: %s\n", s.Verdict, s.Reason)
	fmt.Fprintf(p.stdout, "%d posts, %d accounts, %d objects; %d edges between %d accounts in %d communities (%s, window %v)\n",
		s.Input.Rows, s.Input.Accounts, s.Input.Objects, len(r.Edges), len(r.Nodes), len(r.Communities), s.Semantics, c.Window)
	for _, n := range s.Notes {
		fmt.Fprintln(p.stdout, "note:", n)
	}
	if skipped.Count > 0 {
		fmt.Fprintf(p.stdout, "%d bad rows skipped, the first: %s\n", skipped.Count, skipped.First[0])
	}
	fmt.Fprintf(p.stdout, "%s written in %.2f s\n", out, took.Seconds())
	return nil
}

// refused adds what happened to the results to an error of the input.
func refused(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w\nnothing was written", err)
}

// networkDir is where results go by default: posts.csv.gz -> posts-network.
func networkDir(posts string) string {
	if posts == "-" {
		return "posts-network"
	}
	base := filepath.Base(posts)
	for _, ext := range []string{".gz", ".zst", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet"} {
		base = strings.TrimSuffix(base, ext)
	}
	return base + "-network"
}

// parseBytes reads a size such as 4GiB, 512MB or 1073741824.
func parseBytes(s string) (int64, error) {
	units := []struct {
		suffix string
		size   int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}
	for _, u := range units {
		if digits, ok := strings.CutSuffix(s, u.suffix); ok {
			var n float64
			if _, err := fmt.Sscanf(strings.TrimSpace(digits)+"\n", "%g\n", &n); err != nil || !(n > 0) || n*float64(u.size) > 1<<50 {
				return 0, fmt.Errorf("%q: want a size such as 4GiB", s)
			}
			return int64(n * float64(u.size)), nil
		}
	}
	return 0, fmt.Errorf("%q: want a size such as 4GiB", s)
}
