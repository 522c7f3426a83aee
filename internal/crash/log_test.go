//go:build linux

package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// How much each task of this test writes, and how fast: for longer than the server takes to be killed and started three times.
const (
	spoken = 400
	beat   = "50ms"
)

func TestAServerKilledWhileTasksWriteLosesNoLineAndDoublesNone(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		h := newHouse(t, engine, nil)
		var tasks []api.Task
		for range 2 {
			task, err := h.client.RunTask(t.Context(), appRef("web"), api.RunTask{Arguments: speech()})
			must(t, err)
			tasks = append(tasks, task)
		}
		heard := h.hear(tasks[0].ID)
		r := rand.New(rand.NewPCG(*seed, 4))
		for i := range 3 {
			h.await("the tasks write", func() error { return h.hasWritten(tasks, 100*i) })
			time.Sleep(time.Duration(r.Int64N(int64(time.Second)))) // any moment will do
			h.kill()
			time.Sleep(time.Duration(r.Int64N(int64(time.Second)))) // they go on meanwhile
			h.start()
		}
		for _, task := range tasks {
			h.await("a task has ended", func() error {
				now, err := h.client.Task(t.Context(), appRef("web"), task.ID)
				if err == nil && now.Status != "STOPPED" {
					err = fmt.Errorf("it is %s", now.Status)
				}
				return err
			})
			saidAll(t, "the log of task "+task.ID, h.written(task.ID))
		}
		saidAll(t, "who followed", <-heard)
		h.serves(1)
		h.destroy()
	})
}

// speech are the words of a task that writes numbers, one after the other.
func speech() (words []string) {
	for i := range spoken {
		words = append(words, "print", strconv.Itoa(i), "sleep", beat)
	}
	return words
}

func saidAll(t *testing.T, who string, lines []string) {
	t.Helper()
	var want []string
	for i := range spoken {
		want = append(want, strconv.Itoa(i))
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%s has %d lines of %d: %q", who, len(lines), spoken, lines)
	}
}

// hear follows a task to its end, over all that happens to the server, and gives what it wrote.
func (h *house) hear(task string) (heard chan []string) {
	heard = make(chan []string, 1)
	c := client.New("http://"+h.api(), h.token, client.Options{Patience: patience})
	ctx, cancel := context.WithTimeout(h.t.Context(), 4*patience)
	go func() {
		defer cancel()
		var lines []string
		_, err := c.FollowTask(ctx, appRef("web"), client.LogQuery{Task: task, Whole: true}, func(l api.LogLine) error {
			if l.Source == "app" {
				lines = append(lines, l.Text)
			}
			return nil
		})
		if err != nil {
			h.t.Errorf("who follows is told %v", err)
		}
		heard <- lines
	}()
	return heard
}

func (h *house) written(task string) (lines []string) {
	h.t.Helper()
	all, err := h.client.Log(h.t.Context(), appRef("web"), client.LogQuery{Task: task, Limit: client.MaxLogLines})
	must(h.t, err)
	for _, l := range all {
		if l.Source == "app" {
			lines = append(lines, l.Text)
		}
	}
	return lines
}

func (h *house) hasWritten(tasks []api.Task, least int) error {
	for _, task := range tasks {
		if n := len(h.written(task.ID)); n <= least {
			return fmt.Errorf("task %s has written %d lines", task.ID, n)
		}
	}
	return nil
}
