package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/gc"
	"github.com/setopsco/setops/internal/setops"
)

// controlFile is the socket at which the server obeys whoever may open it: its own user, and root.
const controlFile = "control.sock"

// longestSocket is what the kernel takes as the name of a socket.
const longestSocket = 107

// withControl calls f with a name of the socket that the kernel takes, however long that of the directory is. The name holds
// until f returns.
func withControl(dir string, f func(name string) error) error {
	path, err := filepath.Abs(filepath.Join(dir, controlFile))
	if err != nil {
		return err
	}
	if len(path) <= longestSocket {
		return f(path)
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // nothing was written to it
	return f(filepath.Join("/proc/self/fd", strconv.Itoa(int(d.Fd())), controlFile))
}

// openControl makes the socket. What an earlier server has left there is nobody's, as this one has the lock.
func (c *core) openControl(context.Context) error {
	path := c.dir.file(controlFile)
	if err := removeIfThere(path); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	err := withControl(c.dir.path, func(name string) error {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
		if err != nil {
			return err
		}
		l.SetUnlinkOnClose(false) // by that name it may not be there any more
		c.control = l
		return os.Chmod(path, 0o600)
	})
	if c.control != nil {
		c.onClose(func() error {
			err := c.control.Close()
			if errors.Is(err, net.ErrClosed) { // the server closes it, too
				err = nil
			}
			return errors.Join(err, removeIfThere(path))
		})
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}

// obey answers at the socket until the core stops.
func (c *core) obey() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /gc", c.serveCleanUp)
	c.obeyOperator(mux)
	s := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return c.alive },
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(c.control); !isClosed(err) {
			c.Logger.Error("the control socket is closed", "error", err)
		}
	}()
	c.onClose(func() error {
		// What is asked for has ended with c.alive, or does soon.
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		defer cancel()
		err := s.Shutdown(ctx)
		if err != nil {
			err = s.Close()
		}
		<-done
		return err
	})
}

// cleanUpAnswer is what is answered to a clean-up that was asked for. Both may be there: what was removed before it failed.
type cleanUpAnswer struct {
	gc.Report
	Error string `json:"error,omitempty"`
}

func (c *core) serveCleanUp(w http.ResponseWriter, r *http.Request) {
	report, err := c.gc.Run(r.Context(), r.URL.Query().Get("dry-run") == "true")
	answer, status := cleanUpAnswer{Report: report}, http.StatusOK
	if err != nil {
		answer.Error, status = err.Error(), http.StatusInternalServerError
		var refused *setops.Error
		if errors.As(err, &refused) && refused.Temporary {
			status = http.StatusConflict
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// Whoever has asked may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(answer)
}

// askCleanUp asks the server of a data directory.
func askCleanUp(ctx context.Context, dir string, dryRun bool) (cleanUpAnswer, error) {
	var answer cleanUpAnswer
	err := askControl(ctx, dir, http.MethodPost, "/gc?dry-run="+strconv.FormatBool(dryRun), &answer)
	return answer, err
}

// askControl asks the server of a data directory, and reads its answer into into; also that of one that could not go on, whose error
// it returns.
func askControl(ctx context.Context, dir, method, path string, into any) error {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
		err = withControl(dir, func(name string) error {
			conn, err = (&net.Dialer{}).DialContext(ctx, "unix", name)
			return err
		})
		return conn, err
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, "http://setopsd"+path, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server runs in %s; start it first, or name another with --data-dir", dir)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the server in %s obeys its own user only, and root", dir)
	case err != nil:
		return fmt.Errorf("ask the server in %s: %w", dir, err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	var refused refusal
	if response.StatusCode != http.StatusOK {
		if err := json.Unmarshal(text, &refused); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
	}
	if err := json.Unmarshal(text, into); err != nil && refused.Error == "" {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if refused.Error != "" {
		return errors.New(refused.Error)
	}
	return nil
}
