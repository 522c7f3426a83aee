package daemon

import (
	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/httpapi"
)

// servePeople adds to the API what is about users.
func (c *core) servePeople(api *httpapi.Server) {
	api.Invitations = &auth.Invitations{Store: c.store, Sessions: c.sessions, Key: c.box.FingerprintKey(), NewID: newID}
}
