package isolation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
)

// Listen is what the program of a probe does: it takes connections at both ports until ctx ends. The shut one comes first: who
// reaches the open one knows that both are there.
func Listen(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	for _, port := range []int{ShutPort, OpenPort} {
		l, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port)))
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		defer l.Close() //nolint:errcheck // it ends with that
		running.Go(func() { take(l) })
	}
	<-ctx.Done()
	return nil
}

func take(l net.Listener) {
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			conn.Close() //nolint:errcheck // nothing was said
		case errors.Is(err, net.ErrClosed):
			return
		}
	}
}
