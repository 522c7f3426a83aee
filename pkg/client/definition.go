package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/setopsco/setops/pkg/api"
)

// Definition writes down the committed state of a stage.
func (c *Client) Definition(ctx context.Context, ref StageRef) (api.Definition, error) {
	var d api.Definition
	return d, c.do(ctx, call{method: http.MethodGet, path: ref.path() + "/definition", out: &d})
}

// ApplyDefinition stages what makes the stage be what a definition says. With other commands staged the code of the error is
// ChangesetInvalid.
func (c *Client) ApplyDefinition(ctx context.Context, ref StageRef, apply api.ApplyDefinition) (api.AppliedDefinition, error) {
	var applied api.AppliedDefinition
	return applied, c.do(ctx, call{method: http.MethodPost, path: ref.path() + "/definition", in: apply, out: &applied})
}

// CommitDefinition is ApplyDefinition and StartCommit in one request; message is for the history. A server that is older only
// stages: there are commands and no commit then.
func (c *Client) CommitDefinition(ctx context.Context, ref StageRef, apply api.ApplyDefinition, message string) (api.AppliedDefinition, error) {
	var applied api.AppliedDefinition
	query := url.Values{"commit": {"true"}, "message": {message}}
	return applied, c.do(ctx, call{method: http.MethodPost, path: ref.path() + "/definition", query: query, in: apply, out: &applied})
}
