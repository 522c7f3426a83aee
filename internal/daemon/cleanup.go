package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/gc"
)

func (c *core) openCleanUp(context.Context) error {
	c.gc = &gc.Service{
		Store: c.store, Images: c.registry, Engine: c.engine, Now: time.Now, Logger: c.Logger,
		Limits: gc.Limits{Age: c.Config.GCKeepAge, Commits: c.Config.GCKeepCommits, Releases: c.Config.GCKeepReleases},
	}
	c.gc.Unpacked, _ = c.engine.(engine.ImageForgetter) // a cluster's nodes look after theirs
	return nil
}

// cleanUp does it regularly, for the first time after one interval.
func (c *core) cleanUp(ctx context.Context) {
	if c.Config.GCInterval == 0 {
		return
	}
	c.every(ctx, c.Config.GCInterval, "clean up", func() error {
		_, err := c.gc.Run(ctx, false)
		return err
	})
}

// every does something after each interval until ctx ends, and logs under that name what goes wrong.
func (c *core) every(ctx context.Context, interval time.Duration, name string, do func() error) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if err := do(); err != nil && ctx.Err() == nil {
			c.Logger.Error(name, "error", err)
		}
	}
}

// cleanUpOptions are the flags of `setopsd gc`.
type cleanUpOptions struct {
	dir    string
	dryRun bool
	json   bool
}

// newCleanUp asks the server that runs to clean up now.
func newCleanUp(getenv func(string) string, stdout io.Writer) *cobra.Command {
	var o cleanUpOptions
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove images, releases and commits that are not kept any more",
		Long: "Remove old commits and releases by the server's limits (--gc-keep-age, --gc-keep-commits, --gc-keep-releases), then the\n" +
			"images that nothing names any more. What an active or kept release, a kept commit, a changeset or a task names stays,\n" +
			"and so does what was pushed or asked for in the last 24 hours. It asks the server that runs in the data directory,\n" +
			"which does the same by itself every --gc-interval.",
		Example: "  setopsd gc --dry-run\n  setopsd gc --data-dir /srv/setops -o json",
		Args:    cobra.NoArgs,
	}
	c, fill := withSettings(cmd, getenv, "data-dir")
	asJSON := withOutput(cmd)
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "remove nothing, and show what would be removed")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if err := fill(); err != nil {
			return err
		}
		if o.json, err = asJSON(); err != nil {
			return err
		}
		o.dir = c.DataDir
		return cleanUpNow(cmd.Context(), stdout, o)
	}
	return cmd
}

// cleanUpNow shows what was removed, also where the server could not go on.
func cleanUpNow(ctx context.Context, stdout io.Writer, o cleanUpOptions) error {
	answer, asked := askCleanUp(ctx, o.dir, o.dryRun)
	if asked != nil && len(answer.Commits)+len(answer.Releases)+len(answer.Images) == 0 {
		return asked
	}
	show := showCleanUp
	if o.json {
		show = func(w io.Writer, r gc.Report, _ time.Time) error { return writeJSON(w, r) }
	}
	return errors.Join(asked, show(stdout, answer.Report, time.Now()))
}

func showCleanUp(w io.Writer, r gc.Report, now time.Time) error {
	if len(r.Images)+len(r.Commits)+len(r.Releases) == 0 && r.Bytes == 0 {
		_, err := fmt.Fprintln(w, "There is nothing to remove.")
		return err
	}
	pruned, freed := "Removed", "Freed"
	if r.DryRun {
		pruned, freed = "Would remove", "Would free"
	}
	var b strings.Builder
	if len(r.Images) > 0 {
		t := tabwriter.NewWriter(&b, 0, 8, 3, ' ', 0)
		fmt.Fprintln(t, "REPOSITORY\tDIGEST\tTAGS\tAGE")
		for _, i := range r.Images {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", i.Repository, i.Digest, orDash(strings.Join(i.Tags, ", ")), ageOf(now.Sub(i.UsedAt)))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		b.WriteString("\n")
	}
	for _, c := range r.Commits {
		fmt.Fprintf(&b, "%s commit %s of %s, %s old.\n", pruned, c.ID, c.Stage, ageOf(now.Sub(c.CreatedAt)))
	}
	for _, o := range r.Releases {
		fmt.Fprintf(&b, "%s release %d of %s/%s, %s old.\n", pruned, o.ID, o.Stage, o.App, ageOf(now.Sub(o.CreatedAt)))
	}
	fmt.Fprintf(&b, "%s %s.\n", freed, sizeOf(r.Bytes))
	_, err := io.WriteString(w, b.String())
	return err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// ageOf is in days, in hours where it is less than two days, in minutes where it is less than two hours.
func ageOf(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours())/24)
}

// sizeOf is in units of thousands, as disks are sold.
func sizeOf(bytes int64) string {
	if bytes < 1000 {
		return fmt.Sprintf("%d B", bytes)
	}
	size, unit := float64(bytes)/1000, "kB"
	for _, next := range []string{"MB", "GB", "TB"} {
		if size < 999.95 {
			break
		}
		size, unit = size/1000, next
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}
