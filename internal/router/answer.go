package router

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

const (
	// tinyAnswer is the length up to which net/http keeps an answer until it is whole: the handler never waits for a
	// client to take it.
	tinyAnswer = 2 << 10

	// smallAnswer is the length up to which an answer that announces its length is not flushed piece by piece.
	smallAnswer = 64 << 10

	copyBuffer = 32 << 10
)

// answer passes an upstream's answer on.
func (f *flight) answer(res *http.Response) {
	removeHopByHop(res.Header, nil)
	header := f.writer.Header()
	move(header, res.Header)
	if _, ok := header["Content-Type"]; !ok {
		header["Content-Type"] = nil // net/http would guess one
	}
	announced := announce(header, res.Trailer)
	f.writer.WriteHeader(res.StatusCode)
	if err := f.copyBody(res); err != nil {
		f.abort(err)
		return
	}
	f.passTrailer(res.Trailer, announced)
}

// passEarly passes a 1xx answer on. The server itself says 100 to a client that waits for it, when its body is read; what
// else there was to say to it is left out, because the body may be read at this very moment.
func (f *flight) passEarly(code int, early http.Header) error {
	if !f.request.ProtoAtLeast(1, 1) || f.request.Header.Get("Expect") != "" {
		return nil
	}
	removeHopByHop(early, nil)
	header := f.writer.Header()
	kept := maps.Clone(header)
	clear(header)
	move(header, early)
	f.writer.WriteHeader(code)
	clear(header)
	maps.Copy(header, kept)
	return nil
}

// copyBody passes the body on: piece by piece where the client may wait for them, and all at once what came at once.
func (f *flight) copyBody(res *http.Response) error {
	if res.Body == http.NoBody {
		return nil
	}
	atOnce := isStream(res)
	control := http.NewResponseController(f.writer)
	if body, ok := res.Body.(interface{ Ready() bool }); atOnce && ok && !body.Ready() {
		_ = control.Flush() // a writer that is not the server's need not know of that
	}
	buffer, ok := f.router.buffers.Get().(*[copyBuffer]byte)
	if !ok {
		buffer = new([copyBuffer]byte)
	}
	defer f.router.buffers.Put(buffer)
	for first := true; ; first = false {
		n, err := res.Body.Read(buffer[:])
		whole := first && err == io.EOF
		if n > 0 {
			if err := f.write(buffer[:n], whole, control, atOnce); err != nil {
				return fmt.Errorf("write answer to client: %w", err)
			}
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// write gives the client a piece of the answer, which may take its time.
func (f *flight) write(piece []byte, whole bool, control *http.ResponseController, atOnce bool) error {
	if !whole || len(piece) > tinyAnswer {
		f.stall.watch(f.writer, f.upload)
		f.stall.begin()
		defer f.stall.pause()
	}
	if n, err := f.writer.Write(piece); err != nil {
		return err
	} else if n < len(piece) {
		return io.ErrShortWrite
	}
	if atOnce && !whole {
		_ = control.Flush() // its error is the next Write's too
	}
	return nil
}

// isStream reports an answer whose pieces the client may wait for.
func isStream(res *http.Response) bool {
	if res.ContentLength < 0 || res.ContentLength > smallAnswer {
		return true
	}
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/event-stream")
}

// announce names the trailers that are to come, and returns how many.
func announce(header, trailer http.Header) int {
	if len(trailer) > 0 {
		header["Trailer"] = append(header["Trailer"], strings.Join(slices.Sorted(maps.Keys(trailer)), ", "))
	}
	return len(trailer)
}

// passTrailer passes on what came behind the body.
func (f *flight) passTrailer(trailer http.Header, announced int) {
	if len(trailer) == 0 {
		return
	}
	// Lest a short answer gets a length, with which there is no place for trailers.
	_ = http.NewResponseController(f.writer).Flush()
	header := f.writer.Header()
	for name, values := range trailer {
		if len(trailer) != announced {
			name = http.TrailerPrefix + name
		}
		header[name] = values
	}
}

// abort breaks the client's answer off as the upstream's did. Without a server there is nobody who knows the panic.
func (f *flight) abort(err error) {
	ctx := f.request.Context()
	if ctx.Err() == nil || context.Cause(ctx) != context.Canceled {
		f.router.log.Debug("answer breaks off", "host", f.at.name, "method", f.request.Method, "error", err)
	}
	if ctx.Value(http.ServerContextKey) != nil {
		panic(http.ErrAbortHandler)
	}
}
