package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/setopsco/setops/pkg/api"
)

// call is one request: in, where not nil, is sent as JSON, and the answer is decoded into out, where not nil.
type call struct {
	method, path string
	query        url.Values
	in, out      any
	form         url.Values // is sent as a form in place of in; it may be sent twice
	lastEvent    string     // of a stream: the id of the event behind which it goes on
	behind       string     // of a log: where in each task it goes on
	key          string     // by which the server knows it when it comes again; do makes it
}

func (c *Client) do(ctx context.Context, r call) error {
	r.key = newKey(r)
	return c.insist(ctx, r, func() error { return c.send(ctx, r) })
}

// send sends a request once, and once more with a new token where the server does not take the one that it had.
func (c *Client) send(ctx context.Context, r call) error {
	return c.withToken(ctx, func(token string) error { return c.sendWith(ctx, r, token) })
}

func (c *Client) sendWith(ctx context.Context, r call, token string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request := c.http.R().SetContext(ctx).SetQueryParamsFromValues(r.query)
	if r.in != nil {
		request.SetHeader("Content-Type", "application/json").SetBody(r.in)
	}
	if r.form != nil {
		request.SetFormDataFromValues(r.form)
	}
	if token != "" {
		request.SetHeader("Authorization", "Bearer "+token)
	}
	if r.key != "" {
		request.SetHeader(keyHeader, r.key)
	}
	started := time.Now()
	response, err := request.Execute(r.method, r.path)
	c.trace(r, started, raw(response), err)
	if err := c.meet(raw(response)); err != nil {
		return err
	}
	if err := c.failure(ctx, response, err); err != nil {
		return err
	}
	if r.out == nil {
		return nil
	}
	return c.decode(response.Body(), r.out)
}

// list reads a list, which the API gives a name; a newer server may say more beside it. It is never nil.
func list[T any](ctx context.Context, c *Client, path, name string, query url.Values) ([]T, error) {
	var answer map[string]json.RawMessage
	if err := c.do(ctx, call{method: http.MethodGet, path: path, query: query, out: &answer}); err != nil {
		return nil, err
	}
	elements := []T{}
	if answer[name] == nil {
		return elements, nil
	}
	if err := c.decode(answer[name], &elements); err != nil {
		return nil, err
	}
	if elements == nil {
		return []T{}, nil
	}
	return elements, nil
}

// decode keeps numbers of unknown fields as they were written: a release id of a staged command is no float.
func (c *Client) decode(body []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.address, err)
	}
	return nil
}

// failure turns what went wrong, if anything, into one of the two errors of this package.
func (c *Client) failure(ctx context.Context, response *resty.Response, err error) error {
	if err == nil && response.StatusCode() < http.StatusMultipleChoices {
		return nil
	}
	if ctx.Err() == context.Canceled {
		return ctx.Err()
	}
	if answer := raw(response); answer != nil && (err == nil || isRedirect(answer.StatusCode)) { // resty makes an error of those
		return c.refusal(answer.StatusCode, response.Body())
	}
	return &ConnectionError{Address: c.address, Err: err}
}

// refusal reads an error body; what is no answer of SetOps, a proxy's page for example, becomes a ServiceError too.
func (c *Client) refusal(status int, body []byte) error {
	if e := oauthRefusal(status, body); e != nil {
		return e
	}
	e := &api.ServiceError{}
	if json.Unmarshal(body, e) == nil && e.Code != "" {
		e.Status = status
		return e
	}
	return &api.ServiceError{
		Status: status, Type: "Fault", Code: "ServerFailure", Temporary: isGatewayFault(status),
		Message: fmt.Sprintf("%s answered %d %s, which is no answer of SetOps. Is it the address of a SetOps server?",
			c.address, status, http.StatusText(status)),
	}
}

func isRedirect(status int) bool {
	return status >= http.StatusMultipleChoices && status < http.StatusBadRequest
}

func isGatewayFault(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// raw gives the HTTP answer, nil where there was none.
func raw(response *resty.Response) *http.Response {
	if response == nil {
		return nil
	}
	return response.RawResponse
}

func (c *Client) trace(r call, started time.Time, response *http.Response, err error) {
	if c.options.Trace == nil {
		return
	}
	t := Trace{Method: r.method, URL: c.address + r.path, Duration: time.Since(started), Err: err}
	if len(r.query) > 0 {
		t.URL += "?" + r.query.Encode()
	}
	if response != nil {
		t.Status = response.StatusCode
		t.RequestID = response.Header.Get("X-Request-Id")
	}
	c.options.Trace(t)
}
