package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"causeway/coord"
)

//go:embed detect_spark.py
var sparkDriver string

// sparkJob is what the driver program needs to know.
type sparkJob struct {
	Posts  []string `json:"posts"`
	Work   string   `json:"work"`
	Kernel string   `json:"kernel"` // path of this program, the same on every worker
	Flags  []string `json:"flags"`
	Parts  int      `json:"parts"`
}

// sparkDone is what the driver program says at the end.
type sparkDone struct {
	Rows      int64 `json:"rows"`
	Conflicts int64 `json:"conflicts"`
}

// detectOnSpark runs the rounds inside Apache Spark and finishes here. The
// work folder is inside out and must be reachable under the same path from
// every worker.
func (c *detectCmd) detectOnSpark(ctx context.Context, p *process, opt coord.Options, out string) (*coord.Result, error) {
	if opt.Semantics != coord.Corrected || c.Mapping != "" || len(c.Kinds) > 0 || c.Pseudonyms != "" {
		return nil, usagef("--engine spark runs the corrected semantics on CSV or Parquet with object_id, account_id, content_id and timestamp_share in Unix seconds; use --engine local for the rest")
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(out, ".spark-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	if work, err = filepath.Abs(work); err != nil {
		return nil, err
	}
	kernel, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if k := p.getenv("CAUSEWAY_KERNEL"); k != "" {
		kernel = k
	}
	job := sparkJob{Work: work, Kernel: kernel, Parts: c.Parts, Flags: []string{"--window", c.Window.String(), "--min-participation", fmt.Sprint(c.MinParticipation), "--min-weight", fmt.Sprint(c.MinWeight), "--seed", fmt.Sprint(c.Seed)}}
	for _, f := range c.Posts {
		if !strings.Contains(f, "://") {
			if f, err = filepath.Abs(f); err != nil {
				return nil, err
			}
		}
		job.Posts = append(job.Posts, f)
	}
	if err := runSpark(ctx, p, job); err != nil {
		return nil, err
	}
	var done sparkDone
	b, err := os.ReadFile(filepath.Join(work, "done.json"))
	if err != nil {
		return nil, fmt.Errorf("the Spark job left no answer: %w", err)
	}
	if err := json.Unmarshal(b, &done); err != nil {
		return nil, err
	}
	in := coord.ClusterAnswers{Rows: done.Rows, Conflicts: done.Conflicts}
	for name, to := range map[string]*io.Reader{"counts": &in.Counts, "contents": &in.Contents, "pairs": &in.Pairs, "posts": &in.Posts} {
		r, err := openLines(filepath.Join(work, name))
		if err != nil {
			return nil, err
		}
		defer r.Close()
		*to = r
	}
	return coord.ClusterFinish(ctx, in, opt)
}

// runSpark submits the driver program; where to is Spark's own configuration
// (SPARK_HOME, spark-defaults, or CAUSEWAY_SPARK_MASTER).
func runSpark(ctx context.Context, p *process, job sparkJob) error {
	driver := filepath.Join(job.Work, "detect_spark.py")
	if err := os.WriteFile(driver, []byte(sparkDriver), 0o600); err != nil {
		return err
	}
	b, err := json.Marshal(job)
	if err != nil {
		return err
	}
	jobFile := filepath.Join(job.Work, "job.json")
	if err := os.WriteFile(jobFile, b, 0o600); err != nil {
		return err
	}
	submit := "spark-submit"
	if home := p.getenv("SPARK_HOME"); home != "" {
		submit = filepath.Join(home, "bin", "spark-submit")
	}
	args := []string{}
	if master := p.getenv("CAUSEWAY_SPARK_MASTER"); master != "" {
		args = append(args, "--master", master)
	}
	cmd := exec.CommandContext(ctx, submit, append(args, driver, jobFile)...)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return errors.New("--engine spark needs spark-submit on the path, or SPARK_HOME; docs/operate/spark.md says how to set it up")
		}
		return fmt.Errorf("the Spark job failed: %w; it last said:\n%s", err, lastLines(said.String(), 15))
	}
	return nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// openLines reads a file, or the part files of a folder that Spark wrote, in
// order of name.
func openLines(path string) (io.ReadCloser, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return os.Open(path)
	}
	if _, err := os.Stat(filepath.Join(path, "_SUCCESS")); err != nil {
		return nil, fmt.Errorf("%s is not complete: %w", path, err)
	}
	names, err := filepath.Glob(filepath.Join(path, "part-*"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	all := &openFiles{}
	var readers []io.Reader
	for _, n := range names {
		f, err := os.Open(n)
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all.files = append(all.files, f)
		readers = append(readers, f)
	}
	all.Reader = io.MultiReader(readers...)
	return all, nil
}

type openFiles struct {
	io.Reader
	files []*os.File
}

func (o *openFiles) Close() error {
	var err error
	for _, f := range o.files {
		err = errors.Join(err, f.Close())
	}
	return err
}
