package httpapi

import (
	_ "embed"
	"html/template"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// rapidoc draws the OpenAPI document. Where it comes from is in rapidoc/README.md.
//
//go:embed rapidoc/rapidoc-min.js
var rapidoc []byte

// rapidocPath holds the version, so that a browser may keep the script for good.
const rapidocPath = api.DocsPath + "/rapidoc-9.3.8.js"

// docsPolicy lets the page have what this server serves and nothing else. RapiDoc writes its styles into the page.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var docsPage = template.Must(template.New("docs").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SetOps API</title>
<link rel="icon" href="data:,">
<script type="module" src="{{.Script}}"></script>
</head>
<body>
<rapi-doc spec-url="{{.Document}}" render-style="read" theme="light" primary-color="#0b6e99" load-fonts="false"
  show-header="false" allow-spec-file-load="false" allow-spec-url-load="false" allow-server-selection="false"
  allow-search="true" allow-try="true" persist-auth="false" schema-description-expanded="true" show-method-in-nav-bar="as-colored-text">
</rapi-doc>
<noscript>This page needs JavaScript. The same is in the OpenAPI document at <a href="{{.Document}}">{{.Document}}</a>.</noscript>
</body>
</html>
`))

// docs serves the page that shows the API, and its script.
func (s *Server) docs(mux *http.ServeMux) {
	mux.HandleFunc("GET "+api.DocsPath, func(w http.ResponseWriter, r *http.Request) {
		guard(w, "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		page := struct{ Script, Document string }{rapidocPath, api.OpenAPIPath}
		if err := docsPage.Execute(w, page); err != nil {
			s.Logger.Debug("send page", "path", r.URL.Path, "error", err)
		}
	})
	mux.HandleFunc("GET "+rapidocPath, func(w http.ResponseWriter, _ *http.Request) {
		guard(w, "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Write(rapidoc)
	})
}

func guard(w http.ResponseWriter, kind string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", docsPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}
