package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
)

// Codes of the protocol that this package answers with. Clients give up at
// once on a DENIED, and print its message; most others they try five times.
const (
	codeDenied       = "DENIED"
	codeUnauthorized = "UNAUTHORIZED"
	codeThrottled    = "TOOMANYREQUESTS"
	codeUnsupported  = "UNSUPPORTED"
	codeUnknown      = "UNKNOWN"

	codeManifestInvalid = "MANIFEST_INVALID"
	codeManifestUnknown = "MANIFEST_UNKNOWN"
	codeUploadInvalid   = "BLOB_UPLOAD_INVALID"
)

// refusal is an answer of the gate itself.
type refusal struct {
	status   int
	code     string
	sentence string
	header   http.Header // added to the response; may be nil
	// cause is logged, never shown; nil where the sentence says all.
	cause error
}

// send writes a refusal in the protocol's form.
func (f refusal) send(w http.ResponseWriter) {
	type problem struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	body, err := json.Marshal(map[string][]problem{"errors": {{f.code, f.sentence}}})
	if err != nil { // strings always encode
		panic(err)
	}
	for key, values := range f.header {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(f.status)
	// The client may be gone; there is nobody else to tell.
	_, _ = w.Write(body)
}

func denied(format string, args ...any) refusal {
	return refusal{status: http.StatusForbidden, code: codeDenied, sentence: fmt.Sprintf(format, args...)}
}

// authenticationRefusal answers a request whose sender is not known. challenge
// is the value of WWW-Authenticate.
func authenticationRefusal(err error, challenge string) refusal {
	var throttle *ThrottleError
	switch {
	case errors.Is(err, errNoCredentials), errors.Is(err, errUnreadable), errors.Is(err, ErrCredentials):
		return refusal{
			status: http.StatusUnauthorized, code: codeUnauthorized, sentence: err.Error(),
			header: http.Header{"Www-Authenticate": {challenge}},
		}
	case errors.As(err, &throttle):
		header := http.Header{}
		if throttle.RetryAfter > 0 {
			header.Set("Retry-After", strconv.Itoa(int(math.Ceil(throttle.RetryAfter.Seconds()))))
		}
		return refusal{
			status: http.StatusTooManyRequests, code: codeThrottled,
			sentence: throttle.Error(), header: header,
		}
	default:
		return refusal{
			status: http.StatusInternalServerError, code: codeUnknown,
			sentence: "the server could not check the credentials; its log says why", cause: err,
		}
	}
}

// authorizationRefusal answers a request whose sender may not do this.
func authorizationRefusal(err error) refusal {
	var no *DeniedError
	if errors.As(err, &no) {
		return denied("%s", no.Sentence)
	}
	return refusal{
		status: http.StatusInternalServerError, code: codeUnknown,
		sentence: "the server could not check the access rights; its log says why", cause: err,
	}
}
