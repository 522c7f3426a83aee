package mail

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

var invitation = setops.Invitation{
	Email: "grace@example.com", Organization: "demo", Project: "shop", Stage: "production", Role: setops.Admin,
	InvitedBy: "ada@example.com", ExpiresAt: time.Date(2026, 10, 30, 16, 46, 0, 0, time.UTC),
}

const link = "https://setops.example.com/invitations/sopi_0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFG"

// letter is what an SMTP server was given.
type letter struct {
	user, from, to string
	encrypted      bool
	data           string
}

// server is an SMTP server that takes one letter at a time.
type server struct {
	net.Listener
	tls     *tls.Config // nil: it has none
	implied bool        // TLS from the first byte on
	refuse  string      // its answer to who is to get a letter
	letters chan letter
}

// newServer gives one that speaks until the test ends, and the configuration by which it is trusted.
func newServer(t *testing.T, s *server) (*server, *tls.Config) {
	t.Helper()
	web := httptest.NewUnstartedServer(nil) // for its certificate
	web.StartTLS()
	t.Cleanup(web.Close)
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Listener, s.letters = l, make(chan letter, 1)
	if s.tls != nil {
		s.tls.Certificates = web.TLS.Certificates
	}
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	clients.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			clients.Go(func() {
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				s.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		clients.Wait()
	})
	return s, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// serve answers the commands of one client.
func (s *server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	var got letter
	if s.implied {
		conn, got.encrypted = tls.Server(conn, s.tls), true
	}
	in := bufio.NewReader(conn)
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 mail.example.com")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		switch verb := strings.ToUpper(line); {
		case strings.HasPrefix(verb, "EHLO"):
			say("250-mail.example.com")
			if s.tls != nil && !got.encrypted {
				say("250-STARTTLS")
			}
			say("250-AUTH PLAIN")
			say("250 8BITMIME")
		case verb == "STARTTLS":
			say("220 go on")
			conn, got.encrypted = tls.Server(conn, s.tls), true
			in = bufio.NewReader(conn)
		case strings.HasPrefix(verb, "AUTH PLAIN "):
			secret, _ := base64.StdEncoding.DecodeString(line[len("AUTH PLAIN "):])
			got.user = strings.ReplaceAll(string(secret), "\x00", " ")
			say("235 welcome")
		case strings.HasPrefix(verb, "MAIL FROM:"):
			got.from = line[len("MAIL FROM:"):]
			say("250 fine")
		case strings.HasPrefix(verb, "RCPT TO:") && s.refuse != "":
			say(s.refuse)
		case strings.HasPrefix(verb, "RCPT TO:"):
			got.to = line[len("RCPT TO:"):]
			say("250 fine")
		case verb == "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "."))
			}
			got.data = b.String()
			say("250 taken")
			s.letters <- got
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func TestAnInvitationIsSentInEachWayOfEncrypting(t *testing.T) {
	for name, test := range map[string]struct {
		server     server
		encryption Encryption
		encrypted  bool
	}{
		"starttls": {server{tls: &tls.Config{}}, StartTLS, true},
		"tls":      {server{tls: &tls.Config{}, implied: true}, TLS, true},
		"none":     {server{}, None, false},
	} {
		t.Run(name, func(t *testing.T) {
			server, trusted := newServer(t, &test.server)
			s := &Sender{Address: server.Addr().String(), From: "SetOps <setops@example.com>", Encryption: test.encryption, TLS: trusted}
			want := ""
			if test.encrypted {
				s.User, s.Password, want = "postman", "secret horse", " postman secret horse"
			}
			if err := s.Invite(t.Context(), invitation, link); err != nil {
				t.Fatal(err)
			}
			got := <-server.letters
			if got.user != want || got.encrypted != test.encrypted || !strings.HasPrefix(got.from, "<setops@example.com>") || got.to != "<grace@example.com>" {
				t.Errorf("%+v", got)
			}
			message, err := netmail.ReadMessage(strings.NewReader(got.data))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
			if err != nil || subject != "Invitation to stage production of project shop on SetOps" {
				t.Errorf("subject %q, %v", subject, err)
			}
			text, err := io.ReadAll(quotedprintable.NewReader(message.Body))
			for _, part := range []string{"ada@example.com invites you to be an admin of stage production of project shop", link + "\r\n", "30 October 2026, 16:46 UTC"} {
				if err != nil || !strings.Contains(string(text), part) {
					t.Errorf("%q is not in it, %v:\n%s", part, err, text)
				}
			}
		})
	}
}

func TestNothingIsSaidInClearWhereEncryptionIsWanted(t *testing.T) {
	server, trusted := newServer(t, &server{}) // which has none
	s := &Sender{Address: server.Addr().String(), From: "setops@example.com", User: "postman", Password: "secret horse", Encryption: StartTLS, TLS: trusted}
	err := s.Invite(t.Context(), invitation, link)
	if err == nil || len(server.letters) != 0 {
		t.Errorf("%v, %d letters", err, len(server.letters))
	}
}

func TestAStrangersCertificateIsNotTrusted(t *testing.T) {
	server, _ := newServer(t, &server{tls: &tls.Config{}})
	s := &Sender{Address: server.Addr().String(), From: "setops@example.com", Encryption: StartTLS}
	if err := s.Invite(t.Context(), invitation, link); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v", err)
	}
}

func TestARefusalIsASentenceWithoutTheLink(t *testing.T) {
	server, trusted := newServer(t, &server{tls: &tls.Config{}, refuse: "550-no such\r\n550 user here"})
	s := &Sender{Address: server.Addr().String(), From: "setops@example.com", Encryption: StartTLS, TLS: trusted}
	err := s.Invite(t.Context(), invitation, link)
	if err == nil || !strings.Contains(err.Error(), "send through "+server.Addr().String()) || strings.ContainsAny(err.Error(), "\r\n") || strings.Contains(err.Error(), "sopi_") {
		t.Errorf("%v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Invite(gone, invitation, link); err == nil {
		t.Error("it was sent though nobody waits")
	}
}
