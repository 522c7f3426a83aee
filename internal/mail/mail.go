// Package mail sends mail by SMTP: invitations, so far. It is not where it is decided who gets one.
//
// Start with Sender.
package mail

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/setopsco/setops/internal/setops"
)

// Encryption is how a connection to an SMTP server is kept from those in between.
type Encryption string

// The encryptions.
const (
	StartTLS Encryption = "starttls" // demanded of the server before anything else is said
	TLS      Encryption = "tls"      // from the first byte on
	None     Encryption = "none"     // in clear: only within a machine, or a network that nobody listens in
)

// limit is how long sending may take: somebody waits for the answer.
const limit = 15 * time.Second

// Sender sends mail through one server.
type Sender struct {
	Address        string // HOST:PORT
	User, Password string // empty: without signing in
	From           string // e-mail address, with or without a name in front
	Encryption     Encryption
	TLS            *tls.Config // nil: the system's authorities
}

// Invite sends the link of an invitation to whom it is for.
func (s *Sender) Invite(ctx context.Context, i setops.Invitation, link string) error {
	return s.send(ctx, i.Email, "Invitation to "+placeOf(i), invitationText(i, link))
}

func (s *Sender) send(ctx context.Context, to, subject, text string) error {
	m := gomail.NewMsg()
	if err := m.From(s.From); err != nil {
		return fmt.Errorf("send from %s: %w", s.From, err)
	}
	if err := m.To(to); err != nil {
		return fmt.Errorf("send to %s: %w", to, err)
	}
	m.Subject(subject)
	m.SetDate()
	m.SetMessageID()
	m.SetGenHeader("Auto-Submitted", "auto-generated") // so that no out-of-office answers
	m.SetBodyString(gomail.TypeTextPlain, text)
	c, err := s.client()
	if err != nil {
		return fmt.Errorf("send through %s: %w", s.Address, err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := c.DialAndSendWithContext(ctx, m); err != nil {
		return fmt.Errorf("send through %s: %s", s.Address, oneLine(err))
	}
	return nil
}

// oneLine keeps what servers answer on several lines readable in a sentence.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func (s *Sender) client() (*gomail.Client, error) {
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{gomail.WithPort(number), gomail.WithTimeout(limit)}
	if s.TLS != nil {
		config := s.TLS.Clone()
		config.ServerName = host
		options = append(options, gomail.WithTLSConfig(config))
	}
	switch s.Encryption {
	case TLS:
		options = append(options, gomail.WithSSL())
	case None:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	return gomail.NewClient(host, options...)
}

func placeOf(i setops.Invitation) string {
	switch {
	case i.Stage != "":
		return fmt.Sprintf("stage %s of project %s on SetOps", i.Stage, i.Project)
	case i.Project != "":
		return fmt.Sprintf("project %s on SetOps", i.Project)
	}
	return fmt.Sprintf("organization %s on SetOps", i.Organization)
}

func invitationText(i setops.Invitation, link string) string {
	by := "You are invited"
	if i.InvitedBy != "" {
		by = i.InvitedBy + " invites you"
	}
	return fmt.Sprintf(`%s to be %s of %s, in the organization %s.

Accept the invitation here, until %s:

   %s

The link works once, and whoever has it can accept. If you do not expect this message, leave it alone: nothing happens then.
`, by, article(i.Role), placeOf(i), i.Organization, i.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC"), link)
}

func article(r setops.Role) string {
	if r == setops.Admin {
		return "an admin"
	}
	return "a member"
}
