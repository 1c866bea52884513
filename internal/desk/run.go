package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"causeway/coord"
	"causeway/coord/picture"
	"causeway/coord/read"
	"causeway/coord/text"
	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/internal/vault"
)

// Run is one detection over one file of posts. The file is kept with it, so
// the result can be computed again at any time and by anybody who holds it.
// A run belongs to the person who made it and to nobody else: it carries no
// label until a finding is made of it.
type Run struct {
	ID        string         `json:"id"`
	Owner     string         `json:"owner"` // person id
	Title     string         `json:"title"`
	File      string         `json:"file"` // as the person named it
	SHA256    string         `json:"sha256"`
	Size      int64          `json:"size"`
	Window    time.Duration  `json:"window"`
	Semantics string         `json:"semantics"`
	Started   time.Time      `json:"started"`
	Finished  *time.Time     `json:"finished,omitempty"`
	Error     string         `json:"error,omitempty"`
	Summary   *coord.Summary `json:"summary,omitempty"`
	Findings  []string       `json:"findings,omitempty"` // ids of the groupings made of it

	// What a running job has reached; not stored.
	Stage       string `json:"-"`
	Done, Total int64  `json:"-"`
}

// State is "running", "failed" or "done".
func (r Run) State() string {
	switch {
	case r.Finished == nil:
		return "running"
	case r.Error != "":
		return "failed"
	}
	return "done"
}

// RunRequest is what a person asks for.
type RunRequest struct {
	Title     string
	File      string
	Window    time.Duration
	Semantics string // "" for the default, corrected
}

// LargestUpload bounds a file of posts given to a node, in bytes.
const LargestUpload = 4 << 30

const spaceRun = "run"

// ErrRun is the answer for a run that is another's as for one that is not.
var ErrRun = errors.New("no such run")

// StartRun keeps the posts and starts to compute. The run goes on when the
// person leaves, and is taken up again after a restart.
func (d *Desk) StartRun(ctx context.Context, by people.Person, req RunRequest, posts io.Reader) (Run, error) {
	if err := need(by, "start a detection", people.Analyst); err != nil {
		return Run{}, err
	}
	if req.Semantics == "" {
		req.Semantics = coord.Corrected.String()
	}
	if _, err := coord.ParseSemantics(req.Semantics); err != nil {
		return Run{}, err
	}
	if req.Window <= 0 || req.Window > coord.MaxWindow {
		return Run{}, fmt.Errorf("window %v: give more than 0 and at most %v", req.Window, coord.MaxWindow)
	}
	id := make([]byte, 8)
	rand.Read(id)
	r := Run{ID: hex.EncodeToString(id), Owner: by.ID, Title: req.Title, File: filepath.Base(req.File), Window: req.Window, Semantics: req.Semantics, Started: d.Now().UTC()}
	if err := d.keepPosts(&r, posts); err != nil {
		return Run{}, err
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: "detect", Subject: "run:" + r.ID, Detail: map[string]string{"sha256": r.SHA256, "semantics": r.Semantics, "window": r.Window.String()}}
	if err := d.saveRun(ctx, act, r); err != nil {
		return Run{}, errors.Join(err, os.RemoveAll(d.runDir(r.ID)))
	}
	d.start(r)
	return r, nil
}

// keepPosts writes the posts into the run's folder, whole or not at all.
func (d *Desk) keepPosts(r *Run, posts io.Reader) (err error) {
	dir := d.runDir(r.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep the posts: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	f, err := os.OpenFile(filepath.Join(dir, "posts"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep the posts: %w", err)
	}
	sum := sha256.New()
	r.Size, err = io.Copy(io.MultiWriter(f, sum), io.LimitReader(posts, LargestUpload+1))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("keep the posts: %w", err)
	}
	if r.Size > LargestUpload {
		return fmt.Errorf("the file of posts is larger than %d GiB; run \"causeway detect\" on it instead", LargestUpload>>30)
	}
	r.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}

func (d *Desk) runDir(id string) string { return filepath.Join(d.Config.Runs, id) }

func (d *Desk) saveRun(ctx context.Context, act audit.Act, r Run) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode run: %w", err)
	}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error { return tx.PutRecord(spaceRun, r.ID, b) })
	return err
}

// RunsOf lists a person's runs, newest first.
func (d *Desk) RunsOf(ctx context.Context, by people.Person) ([]Run, error) {
	var out []Run
	err := d.Vault.ScanRecords(ctx, spaceRun, "", func(key string, b []byte) error {
		var r Run
		if err := json.Unmarshal(b, &r); err != nil {
			return fmt.Errorf("read run %s: %w", key, err)
		}
		if r.Owner == by.ID {
			out = append(out, d.jobs.progress(r))
		}
		return nil
	})
	slices.SortFunc(out, func(a, b Run) int { return b.Started.Compare(a.Started) })
	return out, err
}

var runID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Run gives one run of the person. A run that a crash interrupted starts
// again.
func (d *Desk) Run(ctx context.Context, by people.Person, id string) (Run, error) {
	if !runID.MatchString(id) {
		return Run{}, ErrRun
	}
	b, ok, err := d.Vault.Record(ctx, spaceRun, id)
	if err != nil {
		return Run{}, err
	}
	var r Run
	if ok {
		if err := json.Unmarshal(b, &r); err != nil {
			return Run{}, fmt.Errorf("read run %s: %w", id, err)
		}
	}
	if !ok || r.Owner != by.ID {
		return Run{}, ErrRun
	}
	if r.State() == "running" {
		d.start(r)
	}
	return d.jobs.progress(r), nil
}

// Await waits until a run is over. Its error is that of the run.
func (d *Desk) Await(ctx context.Context, by people.Person, id string) (Run, error) {
	r, err := d.Run(ctx, by, id)
	if err != nil || r.State() != "running" {
		return r, errors.Join(err, r.failure())
	}
	if err := d.jobs.wait(ctx, id); err != nil {
		return r, err
	}
	r, err = d.Run(ctx, by, id)
	return r, errors.Join(err, r.failure())
}

func (r Run) failure() error {
	if r.State() != "failed" {
		return nil
	}
	return errors.New(r.Error)
}

// Result gives what a run found, computing it again when it is no longer at
// hand. The result is shared: do not close it.
func (d *Desk) Result(ctx context.Context, by people.Person, id string) (*coord.Result, Run, error) {
	r, err := d.Run(ctx, by, id)
	if err != nil {
		return nil, r, err
	}
	if err := r.failure(); err != nil {
		return nil, r, err
	}
	if res := d.jobs.result(id); res != nil {
		return res, r, nil
	}
	res, err := d.compute(ctx, r, func(string, int64, int64) {})
	if err != nil {
		return nil, r, err
	}
	return d.jobs.keep(id, res), r, nil
}

// compute runs the detection of r over its posts.
func (d *Desk) compute(ctx context.Context, r Run, progress func(stage string, done, total int64)) (*coord.Result, error) {
	f, err := os.Open(filepath.Join(d.runDir(r.ID), "posts"))
	if err != nil {
		return nil, fmt.Errorf("open the posts of the run: %w", err)
	}
	defer f.Close()
	src, err := read.Open(ctx, f, read.Options{File: r.File})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	semantics, err := coord.ParseSemantics(r.Semantics)
	if err != nil {
		return nil, err
	}
	return coord.Detect(ctx, picture.NewSource(text.Source(src), nil), coord.Options{
		Semantics: semantics, Window: r.Window, Scratch: scratch(d.runDir(r.ID)), Progress: progress,
	})
}

// scratch makes temporary files in a run's folder.
type scratch string

// Create implements coord.Scratch.
func (s scratch) Create() (coord.ScratchFile, error) {
	f, err := os.CreateTemp(string(s), "scratch-")
	if err != nil {
		return nil, err
	}
	return scratchFile{f}, nil
}

type scratchFile struct{ *os.File }

func (f scratchFile) Close() error { return errors.Join(f.File.Close(), os.Remove(f.Name())) }

// start computes a run in the background, unless it is being computed.
func (d *Desk) start(r Run) {
	ctx, j, fresh := d.jobs.begin(r.ID)
	if !fresh {
		return
	}
	go func() {
		defer d.jobs.end(r.ID)
		res, err := d.compute(ctx, r, j.report)
		if ctx.Err() != nil {
			return // the node stops; the run is taken up at its next look
		}
		now := d.Now().UTC()
		r.Finished = &now
		if err != nil {
			r.Error = err.Error()
		} else {
			r.Summary = &res.Summary
			d.jobs.keep(r.ID, res)
			if err := d.recognise(context.WithoutCancel(ctx), r, res); err != nil {
				d.Log.Error("note the known networks of a run", "run", r.ID, "err", err)
			}
		}
		act := audit.Act{Actor: "node", Verb: "detected", Subject: "run:" + r.ID, Detail: map[string]string{"state": r.State()}}
		if err := d.saveRun(context.WithoutCancel(ctx), act, r); err != nil {
			d.Log.Error("keep a run's result", "run", r.ID, "err", err)
		}
	}()
}

// resultsKept bounds how many results stay in memory.
const resultsKept = 4

// jobs are the runs being computed and the results at hand.
type jobs struct {
	idle    *sync.Cond // its lock guards all fields
	running map[string]*job
	results map[string]*held
	stopped bool
	clock   int64
}

type job struct {
	cancel      context.CancelFunc
	mu          sync.Mutex
	stage       string
	done, total int64
}

type held struct {
	result *coord.Result
	used   int64
}

func (j *job) report(stage string, done, total int64) {
	j.mu.Lock()
	j.stage, j.done, j.total = stage, done, total
	j.mu.Unlock()
}

func (js *jobs) begin(id string) (context.Context, *job, bool) {
	js.idle.L.Lock()
	defer js.idle.L.Unlock()
	if js.stopped || js.running[id] != nil {
		return nil, nil, false
	}
	ctx, cancel := context.WithCancel(context.Background())
	j := &job{cancel: cancel}
	js.running[id] = j
	return ctx, j, true
}

func (js *jobs) end(id string) {
	js.idle.L.Lock()
	js.running[id].cancel()
	delete(js.running, id)
	js.idle.L.Unlock()
	js.idle.Broadcast()
}

func (js *jobs) stop() {
	js.idle.L.Lock()
	js.stopped = true
	for _, j := range js.running {
		j.cancel()
	}
	for len(js.running) > 0 {
		js.idle.Wait()
	}
	for _, h := range js.results {
		_ = h.result.Close()
	}
	js.results = map[string]*held{}
	js.idle.L.Unlock()
}

func (js *jobs) wait(ctx context.Context, id string) error {
	stop := context.AfterFunc(ctx, js.idle.Broadcast)
	defer stop()
	js.idle.L.Lock()
	defer js.idle.L.Unlock()
	for js.running[id] != nil && ctx.Err() == nil {
		js.idle.Wait()
	}
	return ctx.Err()
}

func (js *jobs) progress(r Run) Run {
	js.idle.L.Lock()
	j := js.running[r.ID]
	js.idle.L.Unlock()
	if j != nil {
		j.mu.Lock()
		r.Stage, r.Done, r.Total = j.stage, j.done, j.total
		j.mu.Unlock()
	}
	return r
}

func (js *jobs) result(id string) *coord.Result {
	js.idle.L.Lock()
	defer js.idle.L.Unlock()
	h := js.results[id]
	if h == nil {
		return nil
	}
	js.clock++
	h.used = js.clock
	return h.result
}

// keep holds a result; the least recently used one makes room. It is not
// closed then, since a page may still be reading it: its scratch files go with
// the run's folder.
func (js *jobs) keep(id string, res *coord.Result) *coord.Result {
	js.idle.L.Lock()
	defer js.idle.L.Unlock()
	if h := js.results[id]; h != nil {
		return h.result
	}
	if len(js.results) >= resultsKept {
		oldest := ""
		for k, h := range js.results {
			if oldest == "" || h.used < js.results[oldest].used {
				oldest = k
			}
		}
		delete(js.results, oldest)
	}
	js.clock++
	js.results[id] = &held{res, js.clock}
	return res
}
