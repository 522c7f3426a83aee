package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/setopsco/setops/internal/setops"
)

//go:embed pages
var files embed.FS

// view is what a page shows. Each page uses some of it.
type view struct {
	Title, Error, Done string
	Style              template.CSS

	Email, Organization string
	HasPassword         bool
	Next                string // where signing in leads
	Provider            string // the name of the provider of identities; empty: there is none

	Code, Device, Address string
	Invitation            *setops.Invitation
	Token                 string
	Login                 string // the command that signs in
}

// styled reads the style and the templates once.
var styled = sync.OnceValues(func() (template.CSS, *template.Template) {
	style, err := files.ReadFile("pages/style.css")
	if err != nil {
		panic(err) // it is part of the program
	}
	return template.CSS(style), template.Must(template.ParseFS(files, "pages/*.html"))
})

// policy allows the style that is in the page, and forms that go home.
var policy = sync.OnceValue(func() string {
	style, _ := styled()
	sum := sha256.Sum256([]byte(style))
	return strings.Join([]string{
		"default-src 'none'", "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'", "form-action 'self'",
		"base-uri 'none'", "frame-ancestors 'none'",
	}, "; ")
})

// show writes a page.
func (p *Pages) show(w http.ResponseWriter, status int, name string, v view) {
	style, pages := styled()
	v.Style = style
	if p.Provider != nil {
		v.Provider = p.Provider.Name()
	}
	var text bytes.Buffer
	if err := pages.ExecuteTemplate(&text, name+".html", v); err != nil {
		p.Logger.Error("make page", "page", name, "error", err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // a browser that is gone needs no page
}

// refusal gives the status and the sentence of an error that a person can do something about; ok is false for any other.
func refusal(err error) (status int, sentence string, ok bool) {
	var known *setops.Error
	if !errors.As(err, &known) || known.Kind == setops.Fault {
		return 0, "", false
	}
	status = http.StatusUnprocessableEntity
	switch known.Code {
	case setops.Overload:
		status = http.StatusTooManyRequests
	case setops.CredentialsInvalid:
		status = http.StatusUnauthorized
	}
	sentence = known.Message
	for _, v := range known.Violations {
		sentence = v.Message
	}
	return status, capital(sentence), true
}

func capital(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}
