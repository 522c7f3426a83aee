package client

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// keyHeader names a request that changes something, so that the server does it once, however often it comes.
const keyHeader = "Idempotency-Key"

// newKey gives the key of a call: the same for each time that it is sent.
func newKey(r call) string {
	if r.method == http.MethodGet || r.path == api.SessionsPath || r.form != nil || r.method == http.MethodPost && r.path == api.AccountTokensPath {
		return "" // an answer that holds a secret is not kept to be given again
	}
	return rand.Text()
}

// insist sends a request until it is answered, refused for good, or ctx ends; an answer that has got lost is asked for again
// for Options.Resend after the first loss.
func (c *Client) insist(ctx context.Context, r call, send func() error) error {
	pause, tries, lost := c.options.Backoff, 1, time.Time{}
	for {
		err := send()
		var cut *ConnectionError
		if errors.As(err, &cut) {
			cut.Tries = tries
			if lost.IsZero() {
				lost = time.Now()
			}
		}
		switch {
		case err == nil || !r.bears(err):
			return err
		case cut != nil && time.Since(lost)+pause > c.options.Resend, cut == nil && tries > resends:
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
		tries, pause = tries+1, min(2*pause, 8*c.options.Backoff)
	}
}

// bears reports whether the request may be sent again after an error, and whether that could help. Whoever does not want
// to wait for another commit does not want us to either.
func (r call) bears(err error) bool {
	var lost *ConnectionError
	var refused *api.ServiceError
	switch {
	case errors.As(err, &lost):
		return r.repeatable() && !isUnknownHost(lost)
	case errors.As(err, &refused) && refused.Temporary:
		start, ok := r.in.(api.StartCommit)
		impatient := ok && start.NoQueue && refused.HasCode("CommitAlreadyRunning")
		return !impatient && (r.repeatable() || refused.RequestID != "") // not of a proxy, which does not know what was done
	}
	return false
}

// repeatable reports whether a request can be sent twice without being done twice.
func (r call) repeatable() bool {
	return r.method == http.MethodGet || r.key != "" || r.form != nil || r.method == http.MethodDelete && r.path == api.SessionsPath
}

func isUnknownHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}
