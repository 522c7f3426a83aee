package client

import (
	"context"
	"fmt"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// VersionError says that the server speaks another API than this package, so that what either says means nothing to the
// other.
type VersionError struct {
	Address string // the server's base URL
	Version string // of the server; may be empty
	API     string // of its API
}

// Error names both APIs.
func (e *VersionError) Error() string {
	return fmt.Sprintf("the server at %s (version %s) speaks API %s, and this program %s", e.Address, e.Version, e.API, api.Version)
}

// ServerVersion asks the server what it is. It needs no token.
func (c *Client) ServerVersion(ctx context.Context) (api.ServerVersion, error) {
	var v api.ServerVersion
	return v, c.do(ctx, call{method: http.MethodGet, path: api.VersionPath, out: &v})
}

// meet looks at who answers. A server of another API is refused; one that says nothing, which may be a proxy before it or a
// version from before 0.1, is taken as it is.
func (c *Client) meet(response *http.Response) error {
	if response == nil {
		return nil
	}
	v := api.ServerVersion{Version: response.Header.Get(api.VersionHeader), API: response.Header.Get(api.APIVersionHeader)}
	if v.API != "" && v.API != api.Version {
		return &VersionError{Address: c.address, Version: v.Version, API: v.API}
	}
	if v.Version != "" && c.options.Met != nil {
		c.met.Do(func() { c.options.Met(v) })
	}
	return nil
}
