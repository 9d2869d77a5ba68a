"""Amazon Bedrock: ConverseStream, and the model families inside InvokeModelWithResponseStream."""
