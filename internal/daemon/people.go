package daemon

import (
	"context"
	"net"
	"time"

	"github.com/setopsco/setops/internal/audit"
	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/httpapi"
	"github.com/setopsco/setops/internal/user"
)

// servePeople adds to the API what is about users.
func (c *core) servePeople(server *httpapi.Server) {
	server.Invitations = &auth.Invitations{Store: c.store, Sessions: c.sessions, Key: c.box.FingerprintKey(), NewID: newID}
	c.users = &user.Service{
		Store: c.store, Access: auth.Access{Store: c.store}, Invitations: server.Invitations, Now: time.Now, Logger: c.Logger,
		Link: func(token string) string { return httpapi.InvitationLink(c.publicURL(), token) },
	}
	if c.Config.SMTP != "" {
		c.users.Mailer = c.Config.sender()
	}
	server.Users, server.Audit, server.PublicURL = c.users, c.audit, c.Config.PublicURL
}

// openAudit makes the audit log, before there is anybody whose doings are recorded.
func (c *core) openAudit(context.Context) error {
	c.audit = &audit.Log{Store: c.store, Now: time.Now, NewID: newID, Logger: c.Logger}
	return nil
}

// auditSweep is how often events that are too old are looked for.
const auditSweep = time.Hour

func (c *core) pruneAudit(ctx context.Context) {
	if c.Config.AuditKeepAge == 0 {
		return
	}
	c.every(ctx, auditSweep, "remove old events of the audit log", func() error {
		_, err := c.audit.Prune(ctx, c.Config.AuditKeepAge)
		return err
	})
}

// publicURL is where users reach the API, as far as the server knows.
func (c *core) publicURL() string {
	if c.Config.PublicURL != "" {
		return c.Config.PublicURL
	}
	if c.Config.HTTPSListen == "" {
		return c.front.apiURL("")
	}
	_, port, _ := net.SplitHostPort(c.Config.HTTPSListen) // it was checked
	if port == "443" {
		return "https://" + c.front.apiHost
	}
	return "https://" + net.JoinHostPort(c.front.apiHost, port)
}
