package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// patience bounds how long the server may take to start.
const patience = 60 * time.Second

// server is a PostgreSQL whose data is worth nothing.
type server struct {
	dir      string
	port     int
	password string
	alive    io.Closer     // the server ends when this does, and so with the process, however that ends
	ended    chan struct{} // closed when it has ended
	admin    *sql.DB
}

// started starts the server of this process at the first call.
var started = sync.OnceValues(start)

// available says what is missing, if anything.
func available() error {
	if _, err := programs(); err != nil {
		return err
	}
	_, err := credential()
	return err
}

// programs finds the directory of initdb and postgres, which Debian keeps out of PATH.
func programs() (string, error) {
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if path, err := exec.LookPath("postgres"); err == nil {
		all = append(all, path)
	}
	if len(all) == 0 {
		return "", errors.New("there is no postgres on this machine; install Debian's package postgresql")
	}
	return filepath.Dir(all[len(all)-1]), nil
}

// credential is who the server runs as: it refuses to be root.
func credential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// script runs the server until its input ends, which is when the process of the tests does. A crash of it is as good an
// end as any other.
const script = `
"$BIN/initdb" --pgdata="$DIR/data" --username=postgres --auth=password --pwfile="$DIR/password" --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$DIR/log" 2>&1 || exit 1
cat >>"$DIR/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
port = $PORT
unix_socket_directories = '$DIR'
max_connections = 300
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
END
"$BIN/pg_ctl" start --wait --pgdata="$DIR/data" >>"$DIR/log" 2>&1 </dev/null || exit 1
cat >/dev/null
"$BIN/pg_ctl" stop --mode=immediate --pgdata="$DIR/data" >>"$DIR/log" 2>&1
rm -rf "$DIR"
`

// start tries again: the port that was free may be another's when the server takes it.
func start() (s *server, err error) {
	for range 3 {
		if s, err = startOnce(); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("start PostgreSQL: %w", err)
}

func startOnce() (*server, error) {
	s := &server{password: rand.Text(), ended: make(chan struct{})}
	var err error
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp(TempDir(), "pgtest-"); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "password"), []byte(s.password), 0o600); err != nil {
		return nil, err
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	if s.admin, err = sql.Open("pgx", s.url("postgres")); err != nil {
		return nil, err
	}
	return s, s.await()
}

func (s *server) run() error {
	bin, err := programs()
	if err != nil {
		return err
	}
	as, err := credential()
	if err != nil {
		return err
	}
	if as != nil {
		for _, path := range []string{s.dir, filepath.Join(s.dir, "password")} {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				return err
			}
		}
	}
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "BIN=" + bin, "DIR=" + s.dir, "PORT=" + strconv.Itoa(s.port), "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true} // Ctrl-C is for the tests
	if s.alive, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait() // the log says why
		close(s.ended)
	}()
	return nil
}

// await returns when the server answers.
func (s *server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := s.admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
			continue
		case <-ctx.Done():
		case <-s.ended:
		}
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return errors.Join(fmt.Errorf("it does not answer: %w\n%s", err, log), s.admin.Close(), s.alive.Close(), os.RemoveAll(s.dir))
	}
}

// url leads over the socket: connections of TCP would take ports of loopback that tests have just found to be free.
func (s *server) url(database string) string {
	query := url.Values{"host": {s.dir}, "port": {strconv.Itoa(s.port)}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", s.password), Path: "/" + database, RawQuery: query.Encode()}
	return u.String()
}

// OverTCP gives the URL that leads to the same database over loopback.
func OverTCP(t testing.TB, text string) string {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = net.JoinHostPort("127.0.0.1", u.Query().Get("port"))
	u.RawQuery = "sslmode=disable"
	return u.String()
}

// freePort gives a port where nobody listens now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// name gives a name that no other database has.
func name() string {
	b := make([]byte, 8)
	rand.Read(b)
	return "t_" + hex.EncodeToString(b)
}
