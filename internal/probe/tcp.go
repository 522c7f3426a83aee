package probe

import (
	"context"
	"net"
)

// TCP passes when a connection can be made. It is closed at once and nothing is sent.
type TCP struct{}

// Probe implements Check.
func (TCP) Probe(ctx context.Context, addr string) error {
	within := timeGiven(ctx)
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return classify(ctx, "", addr, within, err)
	}
	// The connection was made, which is all that was asked: how it ends changes nothing.
	_ = conn.Close()
	return nil
}
