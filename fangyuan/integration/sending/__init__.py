"""One way of sending each: mail, signed webhook, and the robots of 企业微信, 钉钉 and 飞书."""
