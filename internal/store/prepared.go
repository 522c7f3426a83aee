package store

import (
	"context"
	"database/sql"
	"sync"
)

// prepared is a database of SQLite that keeps what it has made of the text of each query: to make it again would take longer than most
// queries do. The texts of queries are constants, so that there are few. The driver of
// PostgreSQL does the same by itself, for each connection.
type prepared struct {
	*sql.DB
	statements sync.Map // text → *sql.Stmt
}

func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := p.statement(ctx, query)
	if err != nil {
		return p.DB.QueryRowContext(ctx, query, args...) // only a row can tell the error
	}
	return s.QueryRowContext(ctx, args...)
}

func (p *prepared) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := p.statements.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	made, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s, there := p.statements.LoadOrStore(query, made)
	if there {
		return s.(*sql.Stmt), made.Close()
	}
	return made, nil
}
