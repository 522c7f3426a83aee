package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// pause is how long is waited between two looks.
const pause = 200 * time.Millisecond

// errOver says that it is of no use to look again.
var errOver = errors.New("a program has ended")

// poll looks until ready says nil, the time is over, or a program of the cluster has ended.
func poll(ctx context.Context, what string, ready func() error) error {
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if errors.Is(err, errOver) {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w; the last that was seen: %w", what, ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}

// await is poll for what needs all programs that were started.
func (c *Cluster) await(ctx context.Context, atMost time.Duration, what string, ready func() error) error {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	return poll(ctx, what, func() error {
		if ended := c.ended(); ended != "" {
			return fmt.Errorf("%w: %s", errOver, ended)
		}
		return ready()
	})
}

// ended is which programs have ended, and how.
func (c *Cluster) ended() string {
	files, _ := filepath.Glob(filepath.Join(c.dir, "*", "ended")) // fails for a bad pattern only
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		machine := filepath.Base(filepath.Dir(file))
		for line := range strings.Lines(string(text)) {
			all = append(all, machine+": "+strings.TrimSpace(line))
		}
	}
	return strings.Join(all, "; ")
}

// logs are the last lines of each program's output.
func (c *Cluster) logs() string {
	files, _ := filepath.Glob(filepath.Join(c.dir, "*", "log", "*.log")) // fails for a bad pattern only
	var b strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || len(text) == 0 {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		name, _ := filepath.Rel(c.dir, file)
		fmt.Fprintf(&b, "\n== %s\n", name)
		for _, line := range lines[max(0, len(lines)-15):] {
			fmt.Fprintln(&b, line[:min(300, len(line))])
		}
	}
	return b.String()
}
