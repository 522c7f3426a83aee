// Package docs holds the command docs: it reads the manual, which the program carries, without a server or the internet.
package docs

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newDocs(k, runDocs)}
}

type options struct {
	kit   *kit.Kit
	topic string
}

func newDocs(k *kit.Kit, run func(context.Context, *options) error) *cobra.Command {
	opts := &options{kit: k}
	return &cobra.Command{
		Use:   "docs [TOPIC]",
		Short: "Read the manual, without the internet",
		Long: "Read a page of the manual, which this program carries, or list the pages. On a terminal it opens in PAGER, or less.\n" +
			"What a single command does is in `setops help COMMAND`.",
		Example: "  setops docs\n  setops docs rollback\n  setops docs troubleshooting | grep -A 5 502",
		Args:    kit.AtMostArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.topic = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
		ValidArgsFunction: complete,
	}
}

func runDocs(ctx context.Context, opts *options) error {
	k := opts.kit
	topics := listTopics()
	if opts.topic == "" {
		return showTopics(k, topics)
	}
	page, err := open(topics, opts.topic)
	if err != nil {
		return err
	}
	if k.Flags.Output == kit.JSON {
		return k.Show(page, nil)
	}
	return k.Page(ctx, render.Manual(page.Text, k.Paint(), k.Width()))
}

func showTopics(k *kit.Kit, topics []api.ManualTopic) error {
	return k.Show(api.ManualTopicList{Topics: topics}, func(w io.Writer) error {
		rows := make([][]string, 0, len(topics))
		for _, t := range topics {
			rows = append(rows, []string{t.Name, t.About})
		}
		return render.Table(w, []string{"Topic", "About"}, rows)
	})
}

// open finds a page by its name; rollback.md and docs/rollback.md, as links and people have it, are that too.
func open(topics []api.ManualTopic, name string) (api.ManualPage, error) {
	wanted := strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "docs/"), ".md"))
	names := make([]string, 0, len(topics))
	for _, t := range topics {
		if t.Name == wanted {
			text, err := read(t)
			return api.ManualPage{ManualTopic: t, Text: text}, err
		}
		names = append(names, t.Name)
	}
	next := "Type `setops docs` for the list of topics."
	if similar := kit.Similar(names, wanted); similar != "" {
		next = fmt.Sprintf("Did you mean `setops docs %s`?", similar)
	}
	return api.ManualPage{}, &kit.Usage{Message: fmt.Sprintf("The manual has no page %q.", name), Next: next}
}

func complete(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if len(args) == 0 {
		for _, t := range listTopics() {
			names = append(names, cobra.CompletionWithDesc(t.Name, t.About))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
