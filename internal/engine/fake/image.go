package fake

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/setopsco/setops/internal/engine/enginetest/script"
)

// Image is what an image does when it is prepared, and its containers when they start. The zero Image has the program
// testapp as its entrypoint and "serve" as its command, as Serve says.
type Image struct {
	// Entrypoint and Command are the image's own, which an app's settings replace as in Docker. Programs that can be
	// executed are testapp (package script), true and false, in any directory; another one is a *host.StartError.
	Entrypoint, Command []string
	// Program, where set, is run whatever the arguments are.
	Program Program
	// PrepareErr, CreateErr and StartErr are met when the image is prepared, its container made or started. Prepare
	// gives a *host.ImageError its meaning, Create and Start a *host.StartError.
	PrepareErr, CreateErr, StartErr error
}

// Program is the process of a container: it returns its exit code. It must return soon after ctx has ended (SIGKILL); it
// should when it receives SIGTERM from p.Signals.
type Program func(ctx context.Context, p script.Process) int

// Words is an image that runs a script, such as Words("print", "hello", "exit", "3").
func Words(words ...string) Image {
	return Image{Entrypoint: []string{"/testapp"}, Command: words}
}

// Serve is an image that answers 200 at its port.
func Serve() Image { return Words("serve") }

// Exit is an image that ends with a code after some time.
func Exit(code int, after time.Duration) Image {
	return Image{Program: func(ctx context.Context, _ script.Process) int {
		timer := time.NewTimer(after)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		return code
	}}
}

// Deaf is an image that stays up and listens nowhere, so that it never passes a network health check.
func Deaf() Image { return Words("wait") }

// Handle is an image that serves HTTP by a handler at the port that PORT names.
func Handle(h http.Handler) Image {
	return Image{Program: func(ctx context.Context, p script.Process) int { return handle(ctx, p, h) }}
}

func handle(ctx context.Context, p script.Process, h http.Handler) int {
	l, err := p.Listen(":" + p.Getenv("PORT"))
	if err != nil {
		return 1
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case <-ctx.Done():
		server.Close() //nolint:errcheck // killed
	case <-p.Signals:
		server.Shutdown(ctx) //nolint:errcheck // killed meanwhile
		server.Close()       //nolint:errcheck // killed meanwhile
	case err := <-served:
		served <- err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return 1
	}
	return 0
}
