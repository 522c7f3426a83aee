package client

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

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

// RemoveCommand drops one staged command; number counts from 1, as the commands stand in Changeset.
func (c *Client) RemoveCommand(ctx context.Context, ref StageRef, number int) (api.Removed, error) {
	var r api.Removed
	path := ref.path() + "/changeset/commands/" + strconv.Itoa(number)
	return r, c.do(ctx, call{method: http.MethodDelete, path: path, out: &r})
}

// Diff shows what of the stage would differ once the user's changeset is committed; with nothing staged the code of the error
// is ChangesetDoesNotExist.
func (c *Client) Diff(ctx context.Context, ref StageRef) (api.Diff, error) {
	var d api.Diff
	return d, c.do(ctx, call{method: http.MethodGet, path: ref.path() + "/changeset/diff", out: &d})
}

// Plan shows the steps that a commit of the user's changeset would take now, and the hash that StartCommit takes.
func (c *Client) Plan(ctx context.Context, ref StageRef) (api.Plan, error) {
	var p api.Plan
	return p, c.do(ctx, call{method: http.MethodGet, path: ref.path() + "/changeset/plan", out: &p})
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
