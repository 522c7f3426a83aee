package client

import (
	"context"
	"fmt"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// Changeset shows what the user has staged; the code of the error is ChangesetDoesNotExist where that is nothing.
func (c *Client) Changeset(ctx context.Context, ref StageRef) (api.Changeset, error) {
	var s api.Changeset
	return s, c.do(ctx, call{method: http.MethodGet, path: ref.path() + "/changeset", out: &s})
}

// Discard drops what the user has staged.
func (c *Client) Discard(ctx context.Context, ref StageRef) (api.Discarded, error) {
	var d api.Discarded
	return d, c.do(ctx, call{method: http.MethodDelete, path: ref.path() + "/changeset", out: &d})
}

// StageCommands adds commands to the user's changeset, all of them or, with an error, none. The effects are in the order
// of the commands.
func (c *Client) StageCommands(ctx context.Context, ref StageRef, commands ...api.Arguments) (api.Staged, error) {
	var staged api.Staged
	body := api.StageCommands{Commands: make([]api.Command, 0, len(commands))}
	for _, arguments := range commands {
		command, err := api.NewCommand(arguments)
		if err != nil {
			return staged, fmt.Errorf("write command %s: %w", arguments.CommandName(), err)
		}
		body.Commands = append(body.Commands, command)
	}
	err := c.do(ctx, call{method: http.MethodPost, path: ref.path() + "/changeset/commands", in: body, out: &staged})
	if err == nil && len(staged.Effects) != len(commands) {
		return staged, fmt.Errorf("%s answered %d effects to %d commands", c.address, len(staged.Effects), len(commands))
	}
	return staged, err
}
