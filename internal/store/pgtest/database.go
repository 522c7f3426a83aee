package pgtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// template is the database that fresh ones are copies of: prepared once, by whoever asks first.
var template struct {
	sync.Mutex
	name string
}

// Database gives the URL of a fresh database that is removed with the test. prepare is called once in the process, with the
// URL of the database that all others are copied from, and must have closed its connections when it returns.
func Database(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	url, remove, err := Make(prepare)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := remove(); err != nil {
			t.Error(err)
		}
	})
	return url
}

// Make is Database for those who have no test in their hands.
func Make(prepare func(url string) error) (url string, remove func() error, err error) {
	s, err := started()
	if err != nil {
		return "", nil, err
	}
	from, err := s.prepared(prepare)
	if err != nil {
		return "", nil, fmt.Errorf("prepare the databases of tests: %w", err)
	}
	database := name()
	if err := s.exec("CREATE DATABASE " + database + " TEMPLATE " + from); err != nil {
		return "", nil, err
	}
	return s.url(database), func() error { return s.exec("DROP DATABASE IF EXISTS " + database + " WITH (FORCE)") }, nil
}

// prepared gives the template. It sorts as a person of some country would, so that no test passes by luck.
func (s *server) prepared(prepare func(url string) error) (string, error) {
	template.Lock()
	defer template.Unlock()
	if template.name != "" {
		return template.name, nil
	}
	made := name()
	if err := s.exec("CREATE DATABASE " + made + " TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"); err != nil {
		return "", err
	}
	if prepare != nil {
		if err := prepare(s.url(made)); err != nil {
			return "", err
		}
	}
	template.name = made
	return made, nil
}

func (s *server) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := s.admin.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
