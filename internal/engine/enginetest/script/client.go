package script

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// clientTimeout is for one word that asks others.
const clientTimeout = 2 * time.Second

// clientPause is between two tries.
const clientPause = 20 * time.Millisecond

// dial tries again for as long as one word may take: a cluster lets nobody in whose address it has not learned yet.
func (r *runner) dial(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	var why error
	for {
		conn, err := r.Dial(ctx, r.value)
		switch {
		case err == nil:
			return conn.Close()
		case ctx.Err() == nil:
			why = err
			pause(ctx, clientPause)
		default:
			return cmp.Or(why, err)
		}
	}
}

// get writes what it is answered.
func (r *runner) get(ctx context.Context) error {
	status, body, err := r.request(ctx, r.value)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(r.Stdout, status, strings.TrimSpace(string(body)))
	return err
}

// accept returns when it listens.
func (r *runner) accept(ctx context.Context) error {
	l, err := r.Listen(r.value)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // it is closed
			}
			conn.Close() //nolint:errcheck // nothing was said
		}
	}()
	return nil
}

// request asks over a connection of its own.
func (r *runner) request(ctx context.Context, url string) (status int, body []byte, err error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, address string) (net.Conn, error) { return r.Dial(ctx, address) },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := (&http.Client{Transport: transport, Timeout: clientTimeout}).Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// hear reads until the other side has said all.
func (r *runner) hear(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	conn, err := r.Dial(ctx, r.value)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it was only read
	if err := conn.SetDeadline(time.Now().Add(clientTimeout)); err != nil {
		return err
	}
	said, err := io.ReadAll(conn)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(r.Stdout, strings.TrimSpace(string(said)))
	return err
}
