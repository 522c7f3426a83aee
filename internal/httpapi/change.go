package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

// Changing is the part of a request that changes something, by which it is recognised when it comes again.
type Changing struct {
	IdempotencyKey string `json:"-" header:"Idempotency-Key" maxLength:"64" pattern:"^[!-~]*$" doc:"Names the request: sent again with the same key within 24 hours, it is answered as before and not done again. Best is something random, made anew for each thing that is asked for"`
}

func (c Changing) idempotencyKey() string { return c.IdempotencyKey }

// changing is an input with Changing and SignedIn in it.
type changing interface {
	idempotencyKey() string
	token() string
}

// changer does what a request asks for.
type changer[I changing, O any] func(ctx context.Context, r idempotency.Request, in *I) (*O, error)

// change registers a handler of requests that may come again. One with a key that was done before is answered as it was
// then; one that is being worked on is waited for. The handler itself leaves a receipt, see afterwards for those that do not.
// What was done is in the audit log. complete fills in, each time, what no remembered answer may hold.
func change[I changing, O any](s *Server, h huma.API, op huma.Operation, f changer[I, O], complete ...func(idempotency.Request, *O)) {
	add(s, h, op, func(ctx context.Context, in *I) (*O, error) {
		u, _, err := s.Sessions.CheckToken(ctx, (*in).token())
		if err != nil {
			return nil, err
		}
		r := idempotency.Unkeyed()
		if key := (*in).idempotencyKey(); key != "" {
			if r, err = s.Requests.Request(u.ID, key, op.OperationID, in); err != nil {
				return nil, err
			}
		}
		begun, asked := s.eventOf(ctx, u, any(*in)), r
		r.Event = func(answer any) (setops.Event, bool) { return s.event(begun, asked, op, any(*in), answer) }
		out, err := once(ctx, s, r, in, f)
		if err != nil {
			return out, err
		}
		s.record(ctx, r, out)
		for _, fill := range complete {
			fill(r, out)
		}
		return out, nil
	})
}

// once does what a request asks for, unless it was done before.
func once[I changing, O any](ctx context.Context, s *Server, r idempotency.Request, in *I, f changer[I, O]) (*O, error) {
	if !r.Keyed() {
		return f(ctx, r, in)
	}
	leave, err := s.Requests.Enter(ctx, r)
	if err != nil {
		return nil, err
	}
	defer leave()
	var before *O
	if done, err := s.Requests.Answer(ctx, r, &before); done || err != nil {
		return before, err
	}
	out, err := f(ctx, r, in)
	if err == nil {
		return out, nil
	}
	if done, unknown := s.Requests.Answer(ctx, r, &before); done && unknown == nil { // another server was faster
		return before, nil
	}
	return out, err
}

// afterwards remembers the answer of what was done. Where the server dies in between, the request is done again: that
// must do no harm.
func afterwards[I changing, O any](s *Server, f changer[I, O]) changer[I, O] {
	return func(ctx context.Context, r idempotency.Request, in *I) (*O, error) {
		out, err := f(ctx, r, in)
		if err == nil {
			s.remember(ctx, r, out)
		}
		return out, err
	}
}

func (s *Server) remember(ctx context.Context, r idempotency.Request, out any) {
	if !r.Keyed() {
		return
	}
	if err := s.Requests.Remember(context.WithoutCancel(ctx), r, out); err != nil && !setops.IsCode(err, setops.Overload) {
		s.Logger.Error("remember request", "request", requestID(ctx), "error", err)
	}
}

// receipt is what a use case writes, with what it does, for the request to be answered by.
func receipt[T, A any](r idempotency.Request, wire func(T) A) idempotency.Receipt[T] {
	return idempotency.Receipt[T]{Request: r, Answer: func(done T) any { return answered(wire(done)) }}
}
