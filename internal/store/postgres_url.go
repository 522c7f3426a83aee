package store

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const connectLimit = 10 * time.Second

// defaults are settings of a session where the URL has none. A server that hangs inside a transaction shall not keep
// others from finishing its commits.
var defaults = map[string]string{
	"application_name":                    "setopsd",
	"idle_in_transaction_session_timeout": "15s",
}

var errURL = errors.New("the URL of the database cannot be read; write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, " +
	"each character of the password that is neither letter nor digit as % and two hexadecimal digits; the password may be in PGPASSWORD instead")

// IsURL reports whether a text begins as a URL of PostgreSQL does.
func IsURL(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// split refuses a password with a / or a # in it. That makes another URL, with half of it where the port is or the path,
// and nobody could hide it any more.
func split(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || !IsURL(text) || u.Fragment != "" || u.User == nil && strings.Contains(text, "@") {
		return nil, false
	}
	return u, true
}

func parseURL(text string) (*pgx.ConnConfig, error) {
	u, ok := split(text)
	if !ok {
		return nil, errURL
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, explain(err, u)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectLimit
	}
	for name, value := range defaults {
		if _, isSet := config.RuntimeParams[name]; !isSet {
			config.RuntimeParams[name] = value
		}
	}
	return config, nil
}

// explain tells what pgx did not like, as a file with certificates that is not there, and nothing of the URL itself.
func explain(err error, u *url.URL) error {
	var parse *pgconn.ParseConfigError
	if !errors.As(err, &parse) || parse.Unwrap() == nil {
		return errURL
	}
	why := parse.Unwrap().Error()
	for _, s := range secrets(u) {
		if strings.Contains(why, s) {
			return errURL
		}
	}
	return fmt.Errorf("read the URL of the database %s: %s", Shown(u.String()), why)
}

// secrets are the passwords of a URL, as they are and as they are written.
func secrets(u *url.URL) []string {
	var all []string
	add := func(s string) {
		if s != "" {
			all = append(all, s, url.QueryEscape(s), url.PathEscape(s))
		}
	}
	password, _ := u.User.Password()
	add(password)
	for name, values := range u.Query() {
		if strings.Contains(name, "password") {
			for _, v := range values {
				add(v)
			}
		}
	}
	return all
}

// Shown is a URL as it may be logged: without password and parameters.
func Shown(text string) string {
	u, ok := split(text)
	if !ok {
		return "postgres://…"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if name := u.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	return shown.String()
}
