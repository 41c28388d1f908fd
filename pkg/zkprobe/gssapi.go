package zkprobe

import (
	"errors"
	"fmt"

	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
)

// noLayer is the security layer of RFC 4752 (3.3) that ZooKeeper has: none.
const noLayer = 1

// gssapi authenticates by GSSAPI (RFC 4752) with a ticket. Nobody but the server with the ticket's key can
// sign the offer, so that mutual authentication, one exchange more, has nothing to add.
func (s *SASL) gssapi(t ticket) proof {
	return func(ask exchange) error {
		refused := func(err error) error {
			var no *refusedTokenError
			if !errors.As(err, &no) {
				return err
			}
			return &SASLError{Mechanism: GSSAPI, Client: s.Principal, Server: t.server, Code: no.code, Err: no.closed,
				Reason: fmt.Sprintf("%v: check that this server logs in as %s (section Server of its JAAS file), that its keytab has the KDC's current key "+
					"(compare klist -kte KEYTAB with kvno %s), and that its clock agrees with the KDC's; a section with user_NAME lines wants %s", no, t.server, t.server, DigestMD5)}
		}
		switch t.key.KeyType {
		case etypeID.AES128_CTS_HMAC_SHA1_96, etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA256_128, etypeID.AES256_CTS_HMAC_SHA384_192:
		default:
			return s.failed(t.server, "the ticket's key is of encryption type %d, and only AES is supported: create AES keys for %s", t.key.KeyType, t.server)
		}
		token, err := ask(t.apReq)
		if err != nil {
			return refused(err)
		}
		if token == nil {
			return s.failed(t.server, "%s", noSASL)
		}
		var offer gssapi.WrapToken
		if err := offer.Unmarshal(token, true); err != nil {
			return s.failed(t.server, "the server's answer to the ticket is not one of RFC 4752: check what listens there")
		}
		if ok, err := offer.Verify(t.key, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil || !ok {
			return s.failed(t.server, "the server did not prove that it has the key of %s: check what listens there", t.server)
		}
		if len(offer.Payload) != 4 || offer.Payload[0]&noLayer == 0 {
			return s.failed(t.server, "the server asks for integrity or privacy of all that follows, which ZooKeeper does not have")
		}
		choice, err := gssapi.NewInitiatorWrapToken([]byte{noLayer, 0, 0, 0}, t.key)
		if err != nil {
			return s.failed(t.server, "the choice of no security layer cannot be signed: %v", err)
		}
		last, err := choice.Marshal()
		if err != nil {
			return s.failed(t.server, "the choice of no security layer cannot be written: %v", err)
		}
		if _, err := ask(last); err != nil {
			return refused(err)
		}
		return nil
	}
}
