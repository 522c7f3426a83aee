package client

import (
	"context"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// DeployTarget tells what is good to know before an image is pushed that shall be deployed.
func (c *Client) DeployTarget(ctx context.Context, ref AppRef) (api.DeployTarget, error) {
	var t api.DeployTarget
	return t, c.do(ctx, call{method: http.MethodGet, path: ref.path() + "/deploy", out: &t})
}

// Deploy begins to make a release of an image active, and returns at once: the commit belongs to the server, and WatchCommit tells
// of it. Without a commit the image is active already. The code of the error is ChangesetInvalid where the user has staged
// something.
func (c *Client) Deploy(ctx context.Context, ref AppRef, deploy api.Deploy) (api.Deployed, error) {
	var d api.Deployed
	return d, c.do(ctx, call{method: http.MethodPost, path: ref.path() + "/deploy", in: deploy, out: &d})
}
