package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/setopsco/setops/pkg/api"
)

// Attached is what a program inside a task is attached to.
type Attached struct {
	Input    io.Reader // its end is passed on
	Out, Err io.Writer // on a terminal all is written to Out
	Terminal bool
	Size     api.TerminalSize
	Resized  <-chan api.TerminalSize
}

// attachPing is how often the server is asked whether it is there, and how long it may take to say so.
const attachPing = 20 * time.Second

// Attach runs a program inside a task and gives its exit code. When ctx ends or the connection is lost, the program is ended by the
// server. Where it returns, a read of Input may still hang: it ends with the process, or when Input is closed.
func (c *Client) Attach(ctx context.Context, ref AppRef, task string, argv []string, a Attached) (int, error) {
	end, err := c.converse(ctx, ref, task, api.AttachTask{Arguments: argv, Terminal: a.Terminal, TerminalSize: a.Size}, a)
	switch {
	case err != nil:
		return 0, err
	case end.ExitCode == nil:
		return 0, c.lost(ctx, errCutShort)
	}
	return *end.ExitCode, nil
}

// Join takes the own program of a task that was run interactively, and tells how the task has ended. When ctx ends or the connection is
// lost, the task is ended by the server. Input is as with Attach.
func (c *Client) Join(ctx context.Context, ref AppRef, task string, a Attached) (api.AttachEnd, error) {
	return c.converse(ctx, ref, task, api.AttachTask{Join: true}, a)
}

// converse carries the streams of what is asked for, to its end.
func (c *Client) converse(ctx context.Context, ref AppRef, task string, asked api.AttachTask, a Attached) (api.AttachEnd, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := c.dialAttach(ctx, ref.task(task)+"/attach")
	if err != nil {
		return api.AttachEnd{}, err
	}
	defer conn.CloseNow() //nolint:errcheck // it may be closed already
	conn.SetReadLimit(api.AttachMessageMax + 1<<10)
	first, err := json.Marshal(asked)
	if err == nil {
		err = conn.Write(ctx, websocket.MessageText, first)
	}
	if err != nil {
		return api.AttachEnd{}, c.lost(ctx, err)
	}
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	go sendInput(ctx, conn, a.Input) // a read of a terminal cannot be taken back
	beside.Go(func() { sendSizes(ctx, conn, a.Resized) })
	beside.Go(func() { pingAttached(ctx, conn) })
	end, err := receiveOutput(ctx, conn, a)
	var own writeError
	switch {
	case errors.As(err, &own):
		return end, own.error
	case err != nil:
		return end, c.lost(ctx, err)
	case end.Error != nil:
		return end, end.Error
	}
	return end, nil
}

// lost is the error of a connection that has ended before the program.
func (c *Client) lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &ConnectionError{Address: c.address, Err: err}
}

// dialAttach opens the WebSocket, with a token that the server takes. A refusal is a *api.ServiceError as that of any request.
func (c *Client) dialAttach(ctx context.Context, path string) (conn *websocket.Conn, err error) {
	err = c.withToken(ctx, func(token string) (err error) {
		conn, err = c.dialWith(ctx, path, token)
		return err
	})
	return conn, err
}

func (c *Client) dialWith(ctx context.Context, path, token string) (*websocket.Conn, error) {
	header := c.http.Header.Clone()
	header.Del("Accept")
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	started := time.Now()
	dial, cancel := context.WithTimeout(ctx, dialTimeout+requestPatience)
	defer cancel()
	conn, response, err := websocket.Dial(dial, c.address+path, &websocket.DialOptions{
		HTTPClient: c.http.GetClient(), HTTPHeader: header, Subprotocols: []string{api.AttachProtocol},
	})
	c.trace(call{method: http.MethodGet, path: path}, started, response, err)
	if err == nil {
		return conn, nil
	}
	if response == nil || response.StatusCode == http.StatusSwitchingProtocols {
		return nil, c.lost(ctx, err)
	}
	if err := c.meet(response); err != nil {
		return nil, err
	}
	var body []byte
	if response.Body != nil {
		body, _ = io.ReadAll(io.LimitReader(response.Body, 1<<20)) // what is there of it tells
	}
	return nil, c.refusal(response.StatusCode, body)
}

// requestPatience is how long the server may take to find the task.
const requestPatience = 30 * time.Second

func sendInput(ctx context.Context, conn *websocket.Conn, from io.Reader) {
	buffer := make([]byte, api.AttachMessageMax)
	buffer[0] = api.AttachInput
	for {
		n, err := from.Read(buffer[1:])
		if n > 0 && conn.Write(ctx, websocket.MessageBinary, buffer[:1+n]) != nil {
			return // receiveOutput hears of it
		}
		if err != nil {
			_ = conn.Write(ctx, websocket.MessageBinary, []byte{api.AttachInputEnd})
			return
		}
	}
}

func sendSizes(ctx context.Context, conn *websocket.Conn, sizes <-chan api.TerminalSize) {
	for {
		select {
		case <-ctx.Done():
			return
		case size, more := <-sizes:
			if !more {
				return
			}
			text, err := json.Marshal(size)
			if err != nil || conn.Write(ctx, websocket.MessageBinary, append([]byte{api.AttachResize}, text...)) != nil {
				return
			}
		}
	}
}

// pingAttached notices a server that has gone without a word.
func pingAttached(ctx context.Context, conn *websocket.Conn) {
	ticker := time.NewTicker(attachPing)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		ping, done := context.WithTimeout(ctx, attachPing)
		err := conn.Ping(ping)
		done()
		if err != nil {
			conn.CloseNow() //nolint:errcheck // nobody is there
			return
		}
	}
}

// errCutShort is the end of a connection whose program had not ended.
var errCutShort = errors.New("the connection ended before the program")

func receiveOutput(ctx context.Context, conn *websocket.Conn, a Attached) (end api.AttachEnd, err error) {
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return end, fmt.Errorf("%w: %w", errCutShort, err)
		}
		if len(message) == 0 {
			continue
		}
		switch content := message[1:]; message[0] {
		case api.AttachOutput:
			_, err = a.Out.Write(content)
		case api.AttachErrors:
			_, err = a.Err.Write(content)
		case api.AttachEnded:
			if err := json.Unmarshal(content, &end); err != nil {
				return end, fmt.Errorf("read the end of the program: %w", err)
			}
			return end, nil
		}
		if err != nil {
			return end, writeError{err}
		}
	}
}

// writeError marks an error of the caller's own stream.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }
