package session

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// signInByBrowser has a person allow this program on a page of the server. It prints the link in any case: the page can be
// opened on another machine.
func signInByBrowser(ctx context.Context, k *kit.Kit, c *client.Client) (api.Session, error) {
	device, err := c.BeginDevice(ctx, hostName())
	if err != nil {
		return api.Session{}, err
	}
	page := pageOf(c.Address(), device)
	k.Note("Sign in on this page, and look whether it shows the same code:\n\n   %s\n\n   Code:   %s\n", page, device.UserCode)
	if !k.Browse(ctx, page) && !k.Interactive() {
		k.Note("It works on any machine. Scripts sign in without a browser: `setops login --service-user`, or SETOPS_TOKEN.")
	}
	end := render.Waiting(k.Err, k.Animated(), "Waiting for the browser…")
	token, err := c.AwaitDevice(ctx, device)
	end()
	if err != nil {
		return api.Session{}, notAllowed(err)
	}
	return kit.SessionOf(token), nil
}

// pageOf is the page below the address that the user knows: a proxy may have hidden it from the server.
func pageOf(address string, d api.DeviceCode) string {
	return strings.TrimRight(address, "/") + api.DevicePage + "?user_code=" + url.QueryEscape(d.UserCode)
}

func notAllowed(err error) error {
	var refused *api.OAuthError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Reason {
	case api.OAuthDenied:
		return &kit.Failure{Message: "The sign-in was denied in the browser.", Err: err}
	case api.OAuthExpired:
		return &kit.Failure{Message: "The sign-in was not allowed in time.", Next: "Run `setops login` again.", Err: err}
	}
	return err
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
