package daemon

import (
	"net"
	netmail "net/mail"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/setopsco/setops/internal/mail"
)

var encryptions = []string{string(mail.StartTLS), string(mail.TLS), string(mail.None)}

func (c *Config) mailFlags(f *pflag.FlagSet) {
	f.StringVar(&c.SMTP, "smtp", "", "HOST:PORT of the SMTP server that invitations are sent through (default: links are handed over by whoever invites)")
	f.StringVar(&c.SMTPUser, "smtp-user", "", "who signs in there (default: nobody)")
	f.StringVar(&c.SMTPPasswordFile, "smtp-password-file", "", "file with the password of --smtp-user, readable by its owner only")
	f.StringVar(&c.SMTPFrom, "smtp-from", "", "e-mail address that invitations come from, as SetOps <setops@example.net>")
	f.StringVar(&c.SMTPEncryption, "smtp-tls", string(mail.StartTLS), "how the connection is encrypted: "+strings.Join(encryptions, ", ")+" (from the first byte on, or not at all: within this machine only)")
}

func (c *Config) checkMail(r *refusals) {
	if c.SMTP == "" {
		r.where(c.SMTPUser != "" || c.SMTPPasswordFile != "" || c.SMTPFrom != "", "--smtp-user, --smtp-password-file and --smtp-from are for --smtp, which is missing")
		return
	}
	if c.SMTPEncryption == "" {
		c.SMTPEncryption = string(mail.StartTLS)
	}
	_, _, err := net.SplitHostPort(c.SMTP)
	r.where(err != nil, "--smtp %q is no address; write HOST:PORT, as mail.example.net:587", c.SMTP)
	_, err = netmail.ParseAddress(c.SMTPFrom)
	r.where(err != nil, "--smtp-from %q is no e-mail address; invitations need one to come from", c.SMTPFrom)
	r.where(!slices.Contains(encryptions, c.SMTPEncryption), "--smtp-tls %q is none of %s", c.SMTPEncryption, strings.Join(encryptions, ", "))
	r.where((c.SMTPUser == "") != (c.SMTPPasswordFile == ""), "--smtp-user and --smtp-password-file belong together; set both or none")
	r.where(c.SMTPEncryption == string(mail.None) && !isLoopback(c.SMTP),
		"--smtp-tls none sends links in clear to %s, where they can be read on the way; use starttls or tls", c.SMTP)
}

func (c *Config) readMail() (err error) {
	c.settings.smtp = ""
	if c.SMTPPasswordFile != "" {
		c.settings.smtp, err = readSecret("--smtp-password-file", c.SMTPPasswordFile)
	}
	return err
}

// sender sends as the flags say.
func (c *Config) sender() *mail.Sender {
	return &mail.Sender{
		Address: c.SMTP, User: c.SMTPUser, Password: c.settings.smtp, From: c.SMTPFrom, Encryption: mail.Encryption(c.SMTPEncryption),
	}
}
