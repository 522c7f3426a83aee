package router

import "context"

// AwaitStreams returns when no connection of ServeStream is open, or when ctx ends. All listeners must be closed before.
func (r *Router) AwaitStreams(ctx context.Context) {
	quiet := make(chan struct{})
	go func() { // it ends with the last stream, which Close ends
		r.streams.active.Wait()
		close(quiet)
	}()
	select {
	case <-quiet:
	case <-ctx.Done():
	}
}
