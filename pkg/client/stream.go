package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// stream is a request whose answer is a stream of server-sent events.
type stream struct {
	request func() call               // made anew for every connection
	event   func(event) (bool, error) // says whether it was the last one
	patient bool                      // whether even the first connection is tried for Options.Patience
	resumes bool                      // whether the server goes on behind the event that Last-Event-ID names
	last    string                    // the id of the last event seen
}

// handlerError marks what stream.event returned: no new connection would mend it.
type handlerError struct{ error }

// livedLong is how long a connection must have held to count as a sign of life although no event came.
const livedLong = time.Second

// follow reads a stream to its last event. A connection that breaks is made again, for Patience after the last sign of
// life; what the server refuses for good ends it.
func (c *Client) follow(ctx context.Context, s stream) error {
	established, pause, lost := s.patient, c.options.Backoff, time.Now()
	for {
		opened := time.Now()
		done, events, err := c.readOnce(ctx, &s)
		switch {
		case done:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if events > 0 || time.Since(opened) > livedLong {
			established, pause, lost = true, c.options.Backoff, time.Now()
		}
		if !established || !mayRecover(err) || time.Since(lost) >= c.options.Patience {
			return withoutMark(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, 20*c.options.Backoff)
	}
}

func mayRecover(err error) bool {
	var refused *api.ServiceError
	var lost *ConnectionError
	return errors.As(err, &lost) || errors.As(err, &refused) && refused.Temporary
}

func withoutMark(err error) error {
	var handler handlerError
	if errors.As(err, &handler) {
		return handler.error
	}
	return err
}

// readOnce reads one connection of a stream, to the last event or to the error that broke it, and counts the events.
func (c *Client) readOnce(ctx context.Context, s *stream) (done bool, events int, err error) {
	r := s.request()
	if s.resumes {
		r.lastEvent = s.last
	}
	body, err := c.open(ctx, r)
	if err != nil {
		return false, 0, err
	}
	defer func() { _ = body.Close() }()
	err = readEvents(body, func(e event) error {
		events++
		last, err := s.event(e)
		if err != nil {
			return handlerError{err}
		}
		if s.resumes {
			s.last = e.id
		}
		if done = last; done {
			return io.EOF
		}
		return nil
	})
	var handler handlerError
	if done || errors.As(err, &handler) {
		return done, events, err
	}
	return false, events, &ConnectionError{Address: c.address, Err: err}
}

// open sends the request of a stream, with a token that the server takes; the caller closes the body.
func (c *Client) open(ctx context.Context, r call) (body io.ReadCloser, err error) {
	err = c.withToken(ctx, func(token string) (err error) {
		body, err = c.openWith(ctx, r, token)
		return err
	})
	return body, err
}

func (c *Client) openWith(ctx context.Context, r call, token string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, r.method, c.address+r.path, nil)
	if err != nil {
		return nil, err
	}
	request.URL.RawQuery = r.query.Encode()
	request.Header = c.http.Header.Clone()
	request.Header.Set("Accept", "text/event-stream")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if r.lastEvent != "" {
		request.Header.Set("Last-Event-ID", r.lastEvent)
	}
	if r.behind != "" {
		request.Header.Set("Setops-Log-Behind", r.behind)
	}
	started := time.Now()
	response, err := c.http.GetClient().Do(request)
	c.trace(r, started, response, err)
	if err != nil {
		return nil, &ConnectionError{Address: c.address, Err: err}
	}
	if err := c.meet(response); err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, &ConnectionError{Address: c.address, Err: err}
	}
	return nil, c.refusal(response.StatusCode, text)
}
