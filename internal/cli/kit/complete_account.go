package kit

import (
	"context"

	"github.com/setopsco/setops/internal/cli/render"
	"github.com/spf13/cobra"
)

// CompleteTokens proposes the user's API tokens, each with its name.
func (k *Kit) CompleteTokens(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		c, err := k.Client()
		if err != nil {
			return nil, err
		}
		tokens, err := c.Tokens(ctx)
		ids := make([]string, 0, len(tokens))
		for _, t := range tokens {
			ids = append(ids, cobra.CompletionWithDesc(t.ID, render.OneLine(t.Name)))
		}
		return ids, err
	})
}

// CompleteSessions proposes the user's sessions, each with from where it was begun.
func (k *Kit) CompleteSessions(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		c, err := k.Client()
		if err != nil {
			return nil, err
		}
		sessions, err := c.Sessions(ctx)
		ids := make([]string, 0, len(sessions))
		for _, s := range sessions {
			ids = append(ids, cobra.CompletionWithDesc(s.ID, render.OneLine(s.Name)))
		}
		return ids, err
	})
}
