//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// nginx is a server of its own, with its files in the temporary directory, in front of one upstream.
type nginx struct {
	*process
	dir, address string
}

// nginxConfig is what a careful operator writes for one app: keep-alive connections to it, and no log of requests, as our
// router has none.
const nginxConfig = `
worker_processes %d;
error_log %s/error.log;
pid %[2]s/pid;
daemon off;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
  keepalive_requests 1000000;
  upstream app {
    server %[3]s;
    keepalive 64;
    keepalive_requests 1000000;
  }
  server {
    listen %[4]s;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Request-Id $request_id;
    }
  }
}
`

// openNginx starts nginx in front of an upstream, to be stopped at the end.
func (b *bench) openNginx(ctx context.Context, upstream string) (*nginx, error) {
	if err := installNginx(ctx); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "nginx-")
	if err != nil {
		return nil, err
	}
	n := &nginx{dir: dir}
	if n.address, err = freeAddress(); err != nil {
		return nil, err
	}
	if err := n.configure(upstream); err != nil {
		return nil, err
	}
	if n.process, err = start(dir, nil, "nginx", "-p", dir, "-c", n.file()); err != nil {
		return nil, err
	}
	b.onClose(n.stop)
	return n, nil
}

func (n *nginx) file() string { return filepath.Join(n.dir, "nginx.conf") }

func (n *nginx) configure(upstream string) error {
	text := fmt.Sprintf(nginxConfig, runtime.NumCPU(), n.dir, upstream, n.address)
	return os.WriteFile(n.file(), []byte(text), 0o644)
}

// reload makes nginx use another upstream.
func (n *nginx) reload(ctx context.Context, upstream string) error {
	if err := n.configure(upstream); err != nil {
		return err
	}
	_, err := output(ctx, nil, "nginx", "-p", n.dir, "-c", n.file(), "-s", "reload")
	return err
}

// installNginx installs it where it is not there, and stops what the package may have started then.
func installNginx(ctx context.Context) error {
	if _, err := exec.LookPath("nginx"); err == nil {
		return nil
	}
	if err := install(ctx, "nginx", "nginx-light"); err != nil {
		return err
	}
	if _, err := os.Stat("/run/nginx.pid"); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_, err := output(ctx, nil, "nginx", "-s", "quit")
	return err
}

// replaceOnce starts a container by docker run, moves nginx to it as soon as it answers, and removes the one before. The
// time runs until nginx gives the first answer of the new one. Rounds must follow each other from -1 on.
func (n *nginx) replaceOnce(ctx context.Context, d *docker, round int, took *samples) error {
	began := time.Now()
	address, err := d.run(ctx, container(round))
	var instance string
	if err == nil {
		instance, err = awaitAnswer(ctx, "http://"+address, "", "")
	}
	if err == nil {
		err = n.reload(ctx, address)
	}
	if err == nil {
		err = n.awaitInstance(ctx, instance)
	}
	took.keep(round, time.Since(began))
	if round >= 0 {
		err = errors.Join(err, d.remove(ctx, container(round-1)))
	}
	return err
}

// container names the container of a round.
func container(round int) string {
	return fmt.Sprintf("setops-bench-%d-round-%d", os.Getpid(), round+1)
}

// awaitInstance asks nginx until an answer comes from that instance.
func (n *nginx) awaitInstance(ctx context.Context, instance string) error {
	for other := ""; ; {
		got, err := awaitAnswer(ctx, "http://"+n.address, "", other)
		if err != nil || got == instance {
			return err
		}
		other = got
	}
}
