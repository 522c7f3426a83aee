// Package release holds the commands of the noun release. Creating and activating are staged.
package release

import (
	"context"
	"io"
	"strconv"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newList(k, runList), newCreate(k, runCreate), newActivate(k, runActivate), newDeploy(k, runDeploy)}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:   "release",
		Short: "List the releases of an app",
		Long: "List the releases of an app: numbers that stand for the digest of an image. With -o wide, also which one is active, since\n" +
			"when and by whom, and who created them.",
		Example: "  setops -p shop -s production --app web release\n  setops -p shop -s production --app web release -o wide",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	ref, c, err := opts.kit.AtApp("")
	if err != nil {
		return err
	}
	releases, err := c.Releases(ctx, ref)
	if err != nil {
		return err
	}
	return opts.kit.Show(api.ReleaseList{Releases: releases}, func(w io.Writer) error {
		if opts.kit.Flags.Output == kit.Wide {
			return showWide(w, releases)
		}
		rows := make([][]string, 0, len(releases))
		for _, r := range releases {
			rows = append(rows, []string{strconv.Itoa(r.ID), r.Digest})
		}
		return render.Table(w, []string{"ID", "Digest"}, rows)
	})
}

// showWide adds what scripts that read the table do not expect.
func showWide(w io.Writer, releases []api.Release) error {
	rows := make([][]string, 0, len(releases))
	for _, r := range releases {
		rows = append(rows, []string{
			strconv.Itoa(r.ID), r.Digest, render.Text(render.OneLine(r.Tag)), strconv.FormatBool(r.Active),
			render.OptionalTime(r.ActivatedAt), render.Text(r.ActivatedBy), render.OptionalTime(&r.CreatedAt), render.Text(r.CreatedBy),
		})
	}
	header := []string{"ID", "Digest", "Tag", "Active", "Activated At", "Activated By", "Created At", "Created By"}
	return render.Table(w, header, rows)
}
