package httpapi

import (
	"net/http"
)

// Description is the OpenAPI document of the API, as JSON: the same that a server of that version serves.
func Description(version string) ([]byte, error) {
	h := newAPI(http.NewServeMux(), version)
	new(Server).routes(h)
	return h.OpenAPI().MarshalJSON()
}
