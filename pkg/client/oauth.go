package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// clientID names this program at the OAuth endpoints. It is no secret.
const clientID = "setops"

// BeginDevice asks that a person signs this program in; deviceName says to them where it runs.
func (c *Client) BeginDevice(ctx context.Context, deviceName string) (api.DeviceCode, error) {
	var d api.DeviceCode
	form := url.Values{"client_id": {clientID}, "device_name": {deviceName}}
	return d, c.do(ctx, call{method: http.MethodPost, path: api.DevicePath, form: form, out: &d})
}

// slower is what RFC 8628 adds to the pause of who asks too often.
const slower = 5 * time.Second

// AwaitDevice waits until the person has decided, or the code expires: then the server says so. A server that cannot be
// reached meanwhile is asked again.
func (c *Client) AwaitDevice(ctx context.Context, d api.DeviceCode) (t api.OAuthToken, err error) {
	pause := max(time.Duration(d.Interval)*time.Second, time.Second)
	end := time.Now().Add(time.Duration(d.ExpiresIn) * time.Second)
	form := url.Values{"grant_type": {api.DeviceGrant}, "client_id": {clientID}, "device_code": {d.DeviceCode}}
	for {
		select {
		case <-ctx.Done():
			return t, ctx.Err()
		case <-time.After(pause):
		}
		err = c.send(ctx, call{method: http.MethodPost, path: api.OAuthTokenPath, form: form, out: &t})
		var lost *ConnectionError
		var refused *api.OAuthError
		switch {
		case err == nil:
			return t, nil
		case errors.As(err, &refused) && refused.Reason == api.OAuthSlowDown:
			pause += slower
		case errors.As(err, &refused) && refused.Reason == api.OAuthPending:
		case (errors.As(err, &lost) || isTemporary(err)) && time.Now().Before(end):
			pause = min(2*pause, 30*time.Second)
		default:
			return t, err
		}
	}
}

func isTemporary(err error) bool {
	var e *api.ServiceError
	return errors.As(err, &e) && e.Temporary
}

// Renew trades a refresh token for the next tokens. It can be used once; the server overlooks for a minute that it is
// used again, so that a lost answer does no harm.
func (c *Client) Renew(ctx context.Context, refreshToken string) (api.OAuthToken, error) {
	var t api.OAuthToken
	form := url.Values{"grant_type": {api.RefreshGrant}, "client_id": {clientID}, "refresh_token": {refreshToken}}
	return t, c.do(ctx, call{method: http.MethodPost, path: api.OAuthTokenPath, form: form, out: &t})
}

// oauthRefusal reads the body of a refusal of the OAuth endpoints; nil where it is none.
func oauthRefusal(status int, body []byte) *api.OAuthError {
	e := &api.OAuthError{}
	if json.Unmarshal(body, e) != nil || e.Reason == "" || e.Code == "" {
		return nil
	}
	e.Status = status
	return e
}
