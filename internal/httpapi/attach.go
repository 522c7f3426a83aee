package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

// Times of an attached program's connection.
const (
	firstMessage = 10 * time.Second // from the connection to what is to be run
	pingEvery    = 20 * time.Second
	pongLimit    = 20 * time.Second
	writeLimit   = 10 * time.Minute // a person may have stopped the output
)

// attachTask runs a program inside a task over a WebSocket. Who may not is told so before.
func (s *Server) attachTask(ctx context.Context, in *OneTask) (*huma.StreamResponse, error) {
	u, ref, a, err := s.app(ctx, in.InApp)
	if err != nil {
		return nil, err
	}
	t, err := s.Tasks.Find(ctx, ref, a.Name, in.ID)
	if err != nil {
		return nil, err
	}
	event := s.eventOf(ctx, u, *in)
	event.Action, event.What = "attach task", a.Name+" "+t.ID
	return &huma.StreamResponse{Body: func(h huma.Context) {
		r, w := humago.Unwrap(h)
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{api.AttachProtocol}})
		if err != nil {
			return // Accept has answered
		}
		defer conn.CloseNow() //nolint:errcheck // it may be closed already
		conn.SetReadLimit(api.AttachMessageMax)
		ctx, cancel := context.WithCancel(h.Context())
		defer cancel()
		defer context.AfterFunc(ctx, func() { conn.CloseNow() })()
		var beside sync.WaitGroup
		defer beside.Wait()
		defer cancel()
		beside.Go(func() {
			select {
			case <-s.Stopping:
				conn.Close(websocket.StatusGoingAway, "the server stops") //nolint:errcheck // it may be closed already
				cancel()
			case <-ctx.Done():
			}
		})
		s.converse(ctx, cancel, &beside, conn, t.ID, event)
	}}, nil
}

// converse runs the program that the first message names, with the streams that the others are.
func (s *Server) converse(ctx context.Context, cancel context.CancelFunc, beside *sync.WaitGroup, conn *websocket.Conn, taskID string, event setops.Event) {
	asked, err := readAttach(ctx, conn)
	if err != nil {
		conn.Close(websocket.StatusPolicyViolation, "the first message must say what to run") //nolint:errcheck // it may be closed already
		return
	}
	what := "joined"
	if !asked.Join {
		what = programIn(asked.Arguments)
	}
	event.What += ": " + what
	s.Audit.Record(ctx, event)
	out := &attachWriter{ctx: ctx, conn: conn}
	input, resized := make(chan []byte), make(chan engine.Size)
	beside.Go(func() {
		defer cancel() // the client has gone
		receiveInput(ctx, conn, input, resized)
	})
	beside.Go(func() { keepPinging(ctx, cancel, conn) })
	end := s.attached(ctx, taskID, asked, engine.Streams{
		In: input, Resized: resized, Out: out.of(api.AttachOutput), Err: out.of(api.AttachErrors), Terminal: asked.Terminal,
		Size: engine.Size{Columns: asked.Columns, Rows: asked.Rows},
	})
	if ctx.Err() != nil {
		return
	}
	text, _ := json.Marshal(end) // it holds numbers and texts
	if out.write(append([]byte{api.AttachEnded}, text...)) == nil {
		conn.Close(websocket.StatusNormalClosure, "") //nolint:errcheck // all was said
	}
}

// attached runs a program inside the task, or joins the task's own, to its end.
func (s *Server) attached(ctx context.Context, taskID string, asked api.AttachTask, streams engine.Streams) api.AttachEnd {
	if asked.Join {
		t, err := s.Tasks.Join(ctx, taskID, streams)
		if err != nil {
			return api.AttachEnd{Error: s.attachError(ctx, err)}
		}
		return joinEnd(t)
	}
	code, err := s.Tasks.Attach(ctx, taskID, asked.Arguments, streams)
	if err != nil {
		return api.AttachEnd{Error: s.attachError(ctx, err)}
	}
	return api.AttachEnd{ExitCode: &code}
}

func joinEnd(t setops.Task) api.AttachEnd {
	end := api.AttachEnd{ExitCode: t.ExitCode}
	if t.Told || t.OOMKilled || t.ExitCode == nil {
		end.Reason = t.Reason
	}
	return end
}

func (s *Server) attachError(ctx context.Context, err error) *api.ServiceError {
	var e *api.ServiceError
	if errors.As(s.translate(ctx, err), &e) {
		e.RequestID = requestID(ctx)
		return e
	}
	return internal()
}

func readAttach(ctx context.Context, conn *websocket.Conn) (asked api.AttachTask, err error) {
	ctx, cancel := context.WithTimeout(ctx, firstMessage)
	defer cancel()
	kind, text, err := conn.Read(ctx)
	if err != nil {
		return asked, err
	}
	if kind != websocket.MessageText {
		return asked, errors.New("it is no text")
	}
	return asked, json.Unmarshal(text, &asked)
}

// receiveInput passes on what comes until the client has gone or ctx ends.
func receiveInput(ctx context.Context, conn *websocket.Conn, input chan<- []byte, resized chan<- engine.Size) {
	ended := false
	for {
		_, message, err := conn.Read(ctx)
		if err != nil || len(message) == 0 {
			return
		}
		kind, content := message[0], message[1:]
		switch {
		case kind == api.AttachInput && !ended:
			select {
			case input <- content:
			case <-ctx.Done():
				return
			}
		case kind == api.AttachInputEnd && !ended:
			ended = true
			close(input)
		case kind == api.AttachResize:
			var size api.TerminalSize
			if json.Unmarshal(content, &size) != nil {
				return
			}
			select {
			case resized <- engine.Size{Columns: size.Columns, Rows: size.Rows}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// keepPinging notices a client that has gone without a word.
func keepPinging(ctx context.Context, cancel context.CancelFunc, conn *websocket.Conn) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		ping, done := context.WithTimeout(ctx, pongLimit)
		err := conn.Ping(ping)
		done()
		if err != nil {
			cancel()
			return
		}
	}
}

// attachWriter sends messages.
type attachWriter struct {
	ctx  context.Context
	conn *websocket.Conn
}

func (w *attachWriter) write(message []byte) error {
	ctx, cancel := context.WithTimeout(w.ctx, writeLimit)
	defer cancel()
	return w.conn.Write(ctx, websocket.MessageBinary, message)
}

// of gives a stream of messages of one kind.
func (w *attachWriter) of(kind byte) attachStream { return attachStream{w, kind} }

type attachStream struct {
	*attachWriter
	kind byte
}

func (s attachStream) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), api.AttachMessageMax-1)
		if err := s.write(append([]byte{s.kind}, rest[:n]...)); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}
