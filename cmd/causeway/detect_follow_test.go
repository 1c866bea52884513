package main

import (
	"encoding/csv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestFollowKilled kills a follower with SIGKILL at random moments while its
// file grows; in the end its results are those of one run over everything.
func TestFollowKilled(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		return &exec.Cmd{Path: exe, Args: append([]string{"causeway"}, args...), Dir: dir}
	}
	must := func(args ...string) {
		t.Helper()
		if b, err := command(args...).CombinedOutput(); err != nil {
			t.Fatalf("causeway %v: %v\n%s", args, err, b)
		}
	}
	must("synth", "posts", "--n", "6000", "--seed", "5", "--plant", "private:1x6", "--out", "all.csv")
	all, err := os.ReadFile(filepath.Join(dir, "all.csv"))
	if err != nil {
		t.Fatal(err)
	}
	grow := func(to int) {
		if err := os.WriteFile(filepath.Join(dir, "posts.csv"), all[:to], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(6, 6))
	const kills = 8
	for i := range kills {
		grow(len(all) * (i + 1) / (kills + 1))
		follower := command("detect", "posts.csv", "--follow", "--every", "1ms", "--out", "net")
		if err := follower.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(250 * time.Millisecond))))
		_ = follower.Process.Kill() // it has not ended by itself: nothing makes it
		_ = follower.Wait()
	}
	grow(len(all))
	must("detect", "posts.csv", "--follow", "--polls", "1", "--out", "net")
	must("detect", "all.csv", "--out", "batch")
	for _, name := range []string{"edges.csv", "evidence.csv", "candidates.csv"} {
		if got, want := tableOf(t, filepath.Join(dir, "net", name)), tableOf(t, filepath.Join(dir, "batch", name)); !cmp.Equal(got, want) {
			t.Errorf("%s differs from that of one run:\n%s", name, cmp.Diff(want, got))
		}
	}
}

// tableOf reads a CSV without the column of communities: a network that is
// followed keeps the id it had when fewer of its accounts were known.
func tableOf(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if at := slices.Index(rows[0], "community"); at >= 0 {
		for i := range rows {
			rows[i] = slices.Delete(rows[i], at, at+1)
		}
	}
	return rows
}
