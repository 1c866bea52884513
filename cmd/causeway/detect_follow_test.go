package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
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
		want, err := os.ReadFile(filepath.Join(dir, "batch", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "net", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from that of one run: %v", name, err)
		}
	}
}
